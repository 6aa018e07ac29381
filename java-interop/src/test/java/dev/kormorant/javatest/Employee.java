package dev.kormorant.javatest;

import static dev.kormorant.async.Conditions.isNull;
import static dev.kormorant.javatest.Badges.BADGES;
import static dev.kormorant.javatest.Staff.STAFF;

import dev.kormorant.LongModel;
import dev.kormorant.OptionalBackReference;
import dev.kormorant.OptionalRef;
import dev.kormorant.OptionalReference;
import dev.kormorant.Referrers;
import dev.kormorant.Refs;
import dev.kormorant.async.ModelType;

public final class Employee extends LongModel {
    public static final ModelType<Long, Employee> MODEL = ModelType.of(STAFF, Employee::new).versioned(STAFF.version).scoped(() -> isNull(STAFF.left));
    public static final OptionalReference<Long, Employee> BOSS = MODEL.optionalReference(STAFF.boss, () -> Employee.MODEL);
    public static final Referrers<Employee> TEAM = MODEL.referrers(STAFF.boss, () -> Employee.MODEL);
    public static final OptionalBackReference<Badge> BADGE = MODEL.optionalBackReference(BADGES.owner, () -> Badge.MODEL);

    public String getName() {
        return get(STAFF.name);
    }

    public void setName(String name) {
        set(STAFF.name, name);
    }

    public int getSalary() {
        return get(STAFF.salary);
    }

    public void setSalary(int salary) {
        set(STAFF.salary, salary);
    }

    public void setLeft(Long at) {
        set(STAFF.left, at);
    }

    public OptionalRef<Long, Employee> boss() {
        return BOSS.of(this);
    }

    public Refs<Employee> team() {
        return TEAM.of(this);
    }
}
