package dev.kormorant.test.conformance

import org.junit.jupiter.api.Nested

/**
 * All suites for one [backend]:
 *
 * ```
 * class MariaDbConformanceTest : Conformance(MariaDb)
 * ```
 *
 * Each suite works on a database of its own, so they do not see each other.
 */
public abstract class Conformance(private val backend: Backend) {
    @Nested
    public inner class Connections : ConnectionSuite(backend)

    @Nested
    public inner class Queries : QuerySuite(backend)

    @Nested
    public inner class Mappings : MappingSuite(backend)

    @Nested
    public inner class Upserts : UpsertSuite(backend)

    @Nested
    public inner class Returning : ReturningSuite(backend)

    @Nested
    public inner class InsertSelects : InsertSelectSuite(backend)

    @Nested
    public inner class JoinChanges : JoinChangeSuite(backend)

    @Nested
    public inner class Merges : MergeSuite(backend)

    @Nested
    public inner class Expressions : ExpressionSuite(backend)

    @Nested
    public inner class Clauses : ClauseSuite(backend)

    @Nested
    public inner class SetOperations : SetOperationSuite(backend)

    @Nested
    public inner class Ctes : CteSuite(backend)

    @Nested
    public inner class Paging : PagingSuite(backend)

    @Nested
    public inner class Compiled : CompiledSuite(backend)

    @Nested
    public inner class Streams : StreamSuite(backend)

    @Nested
    public inner class Models : ModelSuite(backend)

    @Nested
    public inner class Relations : RelationSuite(backend)

    @Nested
    public inner class ModelWrites : ModelWriteSuite(backend)

    @Nested
    public inner class Cascades : CascadeSuite(backend)

    @Nested
    public inner class Hooks : HookSuite(backend)

    @Nested
    public inner class Locking : LockingSuite(backend)

    @Nested
    public inner class RelationTrees : RelationTreeSuite(backend)

    @Nested
    public inner class ModelMappings : ModelMappingSuite(backend)

    @Nested
    public inner class Atlas : AtlasSuite(backend)

    @Nested
    public inner class Transactions : TransactionSuite(backend)

    @Nested
    public inner class TransactionScopes : TransactionScopeSuite(backend)

    @Nested
    public inner class RawSql : RawSqlSuite(backend)

    @Nested
    public inner class JsonFunctions : JsonSuite(backend)

    @Nested
    public inner class PostgreSqlTypes : PostgreSqlTypesSuite(backend)

    @Nested
    public inner class Interception : InterceptorSuite(backend)

    @Nested
    public inner class TransactionControl : TransactionControlSuite(backend)

    @Nested
    public inner class ChildCoroutines : ChildrenSuite(backend)

    @Nested
    public inner class RandomPrograms : TransactionModelSuite(backend)

    @Nested
    public inner class Retries : RetrySuite(backend)

    @Nested
    public inner class Bank : BankSuite(backend)

    @Nested
    public inner class Deadlines : DeadlineSuite(backend)

    @Nested
    public inner class CommitOutcomes : CommitOutcomeSuite(backend)

    @Nested
    public inner class Blocking : BlockingSuite(backend)

    @Nested
    public inner class Cancellation : CancellationSuite(backend)

    @Nested
    public inner class Dispatching : DispatcherSuite(backend)

    @Nested
    public inner class Errors : ErrorSuite(backend)

    @Nested
    public inner class Values : ValueSuite(backend)

    @Nested
    public inner class Schemas : SchemaSuite(backend)

    @Nested
    public inner class SchemaDifferences : SchemaDifferenceSuite(backend)

    @Nested
    public inner class SchemaChanges : SchemaChangeSuite(backend)

    @Nested
    public inner class SchemaObjects : SchemaObjectSuite(backend)

    @Nested
    public inner class Listeners : ListenerSuite(backend)

    @Nested
    public inner class TestKit : TestKitSuite(backend)

    @Nested
    public inner class Outages : OutageSuite(backend)
}
