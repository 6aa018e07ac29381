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
    public inner class Streams : StreamSuite(backend)

    @Nested
    public inner class Models : ModelSuite(backend)

    @Nested
    public inner class Relations : RelationSuite(backend)

    @Nested
    public inner class Transactions : TransactionSuite(backend)

    @Nested
    public inner class TransactionScopes : TransactionScopeSuite(backend)

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
    public inner class Outages : OutageSuite(backend)
}
