package dev.kormorant.jasync.postgresql

import dev.kormorant.TransactionAbortedException
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import io.netty.buffer.ByteBuf
import kotlinx.coroutines.CancellableContinuation
import kotlin.coroutines.resume

/**
 * A statement whose whole answer is collected, or the next portion of its rows if it has a [portal]. Of several in one text the last
 * answer counts.
 */
internal class ExecuteCommand(
    session: Session,
    statement: SqlStatement,
    prepared: Prepared?,
    private val simpleSql: String,
    private val portal: Portal? = null,
) : StatementCommand(session, statement, prepared) {
    private var result: RawResult? = null
    private var tag = ""
    lateinit var caller: CancellableContinuation<Unit>

    override fun ByteBuf.start(prepared: Prepared?) {
        if (prepared == null) {
            query(simpleSql)
        } else {
            val name = portal?.name.orEmpty()
            if (portal?.layout == null) {
                bind(prepared.name, statement, layout.formats, name)
                if (prepared.layout == null) describePortal(name)
            }
            execute(portal?.fetchSize ?: 0, name)
            sync()
        }
    }

    override fun layoutOf(prepared: Prepared): RowLayout = portal?.layout ?: super.layoutOf(prepared)

    override fun onSuspended() {
        val portal = checkNotNull(portal)
        portal.layout = layout
        result = RawResult(layout.columns, rows, rows.size.toLong())
    }

    override fun onComplete(tag: String) {
        if (lookup != null) return
        this.tag = tag
        portal?.let {
            it.layout = layout
            it.isExhausted = true
        }
        result = RawResult(layout.columns, rows, affected(tag))
        if (layout === RowLayout.EMPTY) description = null
        if (prepared == null) {
            rows = ArrayList()
            layout = RowLayout.EMPTY
        }
    }

    override fun onCopyIn(refusal: ByteBuf): Unit = session.link.write(if (prepared == null) refusal else refusal.sync())

    override fun onReady() {
        val lookup = lookup
        when {
            lookup != null -> {
                if (!failed) readAgain(lookup)
                finish()
            }
            retried() -> Unit
            !failed && session.link.transaction != 'E' && missingTypes().isNotEmpty() ->
                session.link.submit(this, startLookup().write(session.link.buffer()).sync())
            else -> finish()
        }
    }

    private fun readAgain(lookup: TypeLookup) {
        val description = checkNotNull(description)
        val rows = result?.rows.orEmpty()
        finishLookup(lookup)
        decoding {
            val layout = RowLayout.text(description, session.types)
            layout.reparse(rows, description, lookup.oids, session.types)
            portal?.layout = layout
            result = result?.let { RawResult(layout.columns, rows, it.affected) }
        }
    }

    override fun resume(): Unit = caller.resume(Unit)

    fun result(): RawResult {
        failure()?.let { throw it }
        if (tag == "ROLLBACK" && commit.containsMatchIn(statement.sql)) {
            throw TransactionAbortedException(
                "The transaction was rolled back instead of committed.",
                "A statement before has failed; its error tells why.",
                null,
            )
        }
        return result ?: RawResult(emptyList(), emptyList(), 0)
    }

    private companion object {
        /** What the server answers with ROLLBACK when the transaction has failed. */
        val commit = Regex("^\\s*(COMMIT|END|PREPARE\\s+TRANSACTION)\\b", RegexOption.IGNORE_CASE)
    }
}
