package dev.kormorant.async;

import java.util.function.Consumer;
import kotlin.Unit;
import kotlin.jvm.functions.Function1;

/** Functions as Kotlin expects them. */
final class KotlinFunctions {
    private KotlinFunctions() {}

    static <T> Function1<T, Unit> unit(Consumer<? super T> consumer) {
        return value -> {
            consumer.accept(value);
            return Unit.INSTANCE;
        };
    }
}
