package dev.kormorant.examples.recipes;

import static dev.kormorant.async.Conditions.eq;
import static dev.kormorant.async.Conditions.isNull;
import static dev.kormorant.async.Queries.load;

import dev.kormorant.Cascade;
import dev.kormorant.LongModel;
import dev.kormorant.OptionalRef;
import dev.kormorant.OptionalReference;
import dev.kormorant.Referrers;
import dev.kormorant.Refs;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.LongTable;
import dev.kormorant.async.ModelType;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.SortOrder;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;

/** What models can do, in Java: a tree of parts with versions, of which some are withdrawn. */
public final class JavaModels {
    // region java-model-type
    static final class Parts extends LongTable {
        static final Parts PARTS = new Parts();
        final Column<String> name = unique(varchar("name", 40));
        final Column<EntityID<Long>> whole = optionalReference("whole_id", this);
        final Column<Long> withdrawn = nullable(bigint("withdrawn_at"));
        final Column<Integer> version = integer("version");

        private Parts() {
            super("part");
        }
    }

    static final class Part extends LongModel {
        static final ModelType<Long, Part> MODEL = ModelType.of(Parts.PARTS, Part::new)
                .versioned(Parts.PARTS.version)
                .scoped(() -> isNull(Parts.PARTS.withdrawn));
        static final OptionalReference<Long, Part> WHOLE = MODEL.optionalReference(Parts.PARTS.whole, () -> Part.MODEL);
        static final Referrers<Part> PARTS = MODEL.referrers(Parts.PARTS.whole, () -> Part.MODEL);

        String name() { return get(Parts.PARTS.name); }
        Part name(String name) { set(Parts.PARTS.name, name); return this; }
        Part withdraw(long at) { set(Parts.PARTS.withdrawn, at); return this; }
        OptionalRef<Long, Part> whole() { return WHOLE.of(this); }
        Refs<Part> parts() { return PARTS.of(this); }
    }
    // endregion

    // region java-model-records
    record Tree(String name, List<Leaf> parts) {}

    record Leaf(Long id, String name) {}

    static CompletableFuture<List<Tree>> trees(AsyncDatabase db) {
        var parts = db.models(Part.MODEL);
        return parts.list(parts.find(isNull(Parts.PARTS.whole)).with(load(Part.PARTS).orderBy(Parts.PARTS.name, SortOrder.ASC).limitPerParent(2)), Tree.class);
    }
    // endregion

    private JavaModels() {}

    // region java-model-write
    static CompletableFuture<Integer> write(AsyncDatabase db) {
        var parts = db.models(Part.MODEL);
        return parts.createOrGet(part -> part.name("bicycle"))
                .thenCompose(bicycle -> parts.createAll(List.of("bell", "chain", "wheel").stream().map(name -> {
                    var part = new Part().name(name);
                    part.whole().setValue(bicycle.model());
                    return part;
                }).toList()))
                .thenCompose(all -> {
                    all.forEach(part -> part.name(part.name() + "!"));
                    return parts.updateAll(all, Parts.PARTS.name);
                });
    }
    // endregion

    /** Runs it on the database of a URL, in memory by default. */
    public static void main(String[] args) {
        try (var db = AsyncDatabase.open(args.length > 0 ? args[0] : "sqlite::memory:")) {
            var parts = db.models(Part.MODEL);
            db.schema().create(Parts.PARTS).thenCompose(none -> write(db)).join();
            for (var tree : trees(db).join()) System.out.println(tree.name() + ": " + tree.parts().stream().map(Leaf::name).toList());
            // region java-model-hooks
            var check = Part.MODEL.hooks().check((violations, part) -> {
                if (part.name().isBlank()) violations.reject("must not be blank", Parts.PARTS.name);
            });
            parts.create(part -> part.name(" ")).handle((part, error) -> error.getMessage()).thenAccept(System.out::println).join();
            check.close();
            // endregion
            var bell = parts.get(eq(Parts.PARTS.name, "bell!")).thenCompose(part -> parts.save(part.withdraw(1)).thenCompose(saved -> parts.count())).join();
            System.out.println(bell + " of " + db.count(parts.unscoped()).join());
            var bicycle = parts.get(eq(Parts.PARTS.name, "bicycle")).join();
            System.out.println(parts.delete(bicycle, Cascade.DELETE).thenCompose(deleted -> parts.count()).join() + " left");
        }
    }
}
