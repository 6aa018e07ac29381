package dev.kormorant.javatest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kormorant.async.AsyncDatabase;
import java.io.IOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Member;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ArchitectureTest {
    private static final Pattern CLASS_NAME = Pattern.compile("[a-z]\\w*(?:\\.\\w+)+(?:\\$\\w+)*");
    private static final Pattern FIT_FOR_JAVA =
            Pattern.compile("java\\.(?!lang\\.reflect).*|dev\\.kormorant\\.((async|postgresql)\\.)?[A-Z].*|org\\.jetbrains\\.exposed\\.v1\\.core\\..*");

    @Test
    void no_Kotlin_type_is_in_a_signature_that_Java_sees() throws Exception {
        var foreign = new TreeSet<String>();
        var classes = publicClasses();
        assertTrue(classes.contains(AsyncDatabase.class));
        for (var type : classes) {
            for (var member : visibleMembers(type)) {
                var names = CLASS_NAME.matcher(signature(member));
                while (names.find()) if (!FIT_FOR_JAVA.matcher(names.group()).matches()) foreign.add(names.group() + " in " + signature(member));
            }
        }
        assertEquals(List.of(), List.copyOf(foreign));
    }

    private static List<Class<?>> publicClasses() throws IOException, URISyntaxException, ClassNotFoundException {
        var root = Path.of(AsyncDatabase.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        var classes = new ArrayList<Class<?>>();
        try (var files = Files.list(root.resolve("dev/kormorant/async"))) {
            for (var file : files.filter(it -> it.toString().endsWith(".class")).toList()) {
                var type = Class.forName("dev.kormorant.async." + file.getFileName().toString().replace(".class", ""));
                if (Modifier.isPublic(type.getModifiers()) && !type.isAnonymousClass()) classes.add(type);
            }
        }
        return classes;
    }

    private static List<Member> visibleMembers(Class<?> type) {
        var members = new ArrayList<Member>();
        members.addAll(List.of(type.getDeclaredConstructors()));
        members.addAll(List.of(type.getDeclaredMethods()));
        members.addAll(List.of(type.getDeclaredFields()));
        members.removeIf(it -> it.isSynthetic() || !(Modifier.isPublic(it.getModifiers()) || Modifier.isProtected(it.getModifiers())));
        return members;
    }

    private static String signature(Member member) {
        return member instanceof Executable executable ? executable.toGenericString() : ((java.lang.reflect.Field) member).toGenericString();
    }
}
