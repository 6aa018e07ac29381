package dev.kormorant.examples.recipes;

import static dev.kormorant.async.Conditions.and;
import static dev.kormorant.async.Conditions.eq;
import static dev.kormorant.async.Conditions.ge;
import static dev.kormorant.async.Queries.after;
import static dev.kormorant.async.Queries.alias;
import static dev.kormorant.async.Queries.compiled;
import static dev.kormorant.async.Queries.count;
import static dev.kormorant.async.Queries.hole;
import static dev.kormorant.async.Queries.join;
import static dev.kormorant.async.Queries.recursiveCte;
import static dev.kormorant.async.Queries.select;
import static dev.kormorant.async.Queries.selectAll;
import static dev.kormorant.async.Queries.union;

import dev.kormorant.Rows;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.LongTable;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.JoinType;
import org.jetbrains.exposed.v1.core.LiteralOpKt;
import org.jetbrains.exposed.v1.core.OpBuilderKt;
import org.jetbrains.exposed.v1.core.SortOrder;

/** Queries of several kinds, and their rows as records. */
public final class JavaReading {
    static final class Parts extends LongTable {
        static final Parts PARTS = new Parts();
        final Column<String> name = varchar("name", 40);
        final Column<String> kind = varchar("kind", 20);
        final Column<Integer> price = integer("price");
        final Column<Long> partOf = nullable(bigint("part_of"));

        private Parts() {
            super("part");
        }
    }

    private static final Parts PARTS = Parts.PARTS;

    // region java-queries-map
    record PartRow(long id, String name, int price, Long partOf) {}

    record KindCount(String kind, long parts) {}

    static CompletableFuture<List<KindCount>> kinds(AsyncDatabase db) {
        var parts = alias(count(PARTS.id), "parts");
        return db.list(select(PARTS, PARTS.kind, parts).groupBy(PARTS.kind).having(() -> ge(count(PARTS.id), 2L))
                .orderBy(PARTS.kind, SortOrder.ASC).as(KindCount.class));
    }
    // endregion

    // region java-queries-set
    static CompletableFuture<List<String>> names(AsyncDatabase db) {
        var wheels = select(PARTS, PARTS.name).where(eq(PARTS.kind, "wheel"));
        var dear = select(PARTS, PARTS.name).where(ge(PARTS.price, 100));
        return db.list(union(wheels, dear).orderBy(PARTS.name, SortOrder.ASC), row -> row.get(PARTS.name));
    }
    // endregion

    // region java-queries-cte
    static CompletableFuture<List<String>> partsOf(AsyncDatabase db, String name) {
        var depth = alias(LiteralOpKt.intLiteral(0), "depth");
        var tree = recursiveCte("tree", select(PARTS, PARTS.id, PARTS.name, depth).where(eq(PARTS.name, name)), self -> select(
                join(PARTS, self, JoinType.INNER, PARTS.partOf, self.get(PARTS.id)),
                PARTS.id, PARTS.name, OpBuilderKt.plus(self.get(depth), 1)));
        return db.list(selectAll(tree).orderBy(tree.get(depth), SortOrder.ASC), row -> row.get(tree.get(PARTS.name)));
    }
    // endregion

    // region java-queries-pages
    static CompletableFuture<List<PartRow>> secondPage(AsyncDatabase db) {
        var query = selectAll(PARTS).orderBy(PARTS.price, SortOrder.DESC).orderBy(PARTS.id, SortOrder.ASC).limit(2);
        return db.list(query.as(PartRow.class)).thenCompose(first -> {
            var last = first.get(first.size() - 1);
            return db.list(after(query.copy(), last.price(), last.id()).as(PartRow.class));
        });
    }
    // endregion

    // region java-queries-compiled
    static final BiFunction<String, Integer, Rows<PartRow>> PARTS_BY_KIND = compiled(hole(PARTS.kind), hole(PARTS.price), (kind, price) ->
            selectAll(PARTS).where(and(eq(PARTS.kind, kind), ge(PARTS.price, price))).as(PartRow.class));

    static CompletableFuture<List<PartRow>> wheels(AsyncDatabase db, int price) {
        return db.list(PARTS_BY_KIND.apply("wheel", price));
    }
    // endregion

    private JavaReading() {}

    public static void main(String[] args) {
        try (var db = AsyncDatabase.open(args.length > 0 ? args[0] : "sqlite::memory:")) {
            db.schema().create(PARTS).join();
            var whole = insert(db, "bicycle", "whole", 500, null);
            insert(db, "front wheel", "wheel", 80, whole);
            insert(db, "back wheel", "wheel", 120, whole);
            System.out.println(kinds(db).join());
            System.out.println(names(db).join());
            System.out.println(partsOf(db, "bicycle").join().get(0));
            System.out.println(secondPage(db).join().get(0).name());
            System.out.println(wheels(db, 100).join().get(0).name());
        }
    }

    private static long insert(AsyncDatabase db, String name, String kind, int price, Long partOf) {
        return db.insertAndGetId(PARTS, set -> set.set(PARTS.name, name).set(PARTS.kind, kind).set(PARTS.price, price).set(PARTS.partOf, partOf)).join();
    }
}
