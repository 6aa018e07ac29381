package dev.kormorant.javatest;

import static dev.kormorant.javatest.Badges.BADGES;

import dev.kormorant.LongModel;
import dev.kormorant.Reference;
import dev.kormorant.async.ModelType;

public final class Badge extends LongModel {
    public static final ModelType<Long, Badge> MODEL = ModelType.of(BADGES, Badge::new);
    public static final Reference<Long, Employee> OWNER = MODEL.reference(BADGES.owner, () -> Employee.MODEL);

    public String getCode() {
        return get(BADGES.code);
    }

    public void setCode(String code) {
        set(BADGES.code, code);
    }
}
