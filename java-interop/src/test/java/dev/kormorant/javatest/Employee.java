package dev.kormorant.javatest;

import static dev.kormorant.async.Conditions.isNull;
import static dev.kormorant.javatest.Badges.BADGES;
import static dev.kormorant.javatest.Crew.CREW;

import dev.kormorant.LongModel;
import dev.kormorant.OptionalBackReference;
import dev.kormorant.OptionalRef;
import dev.kormorant.OptionalReference;
import dev.kormorant.Referrers;
import dev.kormorant.Refs;
import dev.kormorant.async.ModelType;

public final class Employee extends LongModel {
    public static final ModelType<Long, Employee> MODEL = ModelType.of(CREW, Employee::new).versioned(CREW.version).scoped(() -> isNull(CREW.left));
    public static final OptionalReference<Long, Employee> BOSS = MODEL.optionalReference(CREW.boss, () -> Employee.MODEL);
    public static final Referrers<Employee> TEAM = MODEL.referrers(CREW.boss, () -> Employee.MODEL);
    public static final OptionalBackReference<Badge> BADGE = MODEL.optionalBackReference(BADGES.owner, () -> Badge.MODEL);

    public String getName() {
        return get(CREW.name);
    }

    public void setName(String name) {
        set(CREW.name, name);
    }

    public int getSalary() {
        return get(CREW.salary);
    }

    public void setSalary(int salary) {
        set(CREW.salary, salary);
    }

    public void setLeft(Long at) {
        set(CREW.left, at);
    }

    public OptionalRef<Long, Employee> boss() {
        return BOSS.of(this);
    }

    public Refs<Employee> team() {
        return TEAM.of(this);
    }
}
