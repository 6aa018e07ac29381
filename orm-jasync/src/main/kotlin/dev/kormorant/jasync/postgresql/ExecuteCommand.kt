package dev.kormorant.jasync.postgresql

import com.github.jasync.sql.db.postgresql.messages.backend.ErrorMessage
import com.github.jasync.sql.db.postgresql.messages.backend.RowDescriptionMessage
import dev.kormorant.TransactionAbortedException
import dev.kormorant.driver.Prelude
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
    private val prelude: Prelude? = null,
) : StatementCommand(session, statement, prepared) {
    private var result: RawResult? = null
    private var tag = ""
    lateinit var caller: CancellableContinuation<Unit>

    /** Of [prelude], how many statements are not answered yet. */
    private var ahead = 0
    private var refused: String? = null
    private var value: String? = null

    override fun ByteBuf.goAhead(prepared: Prepared?) {
        if (prelude == null) return
        prelude.restart()
        ahead = prelude.statements.size
        if (prepared == null) return
        for (sql in prelude.statements) parse("", sql, NO_TYPES).bind("", NO_ARGUMENTS, NO_TYPES).execute(0)
    }

    override fun onMessage(type: Char, body: ByteBuf) {
        if (ahead == 0) return super.onMessage(type, body)
        when (type) {
            'D' -> if (value == null) value = firstText(body)
            'C' -> {
                ahead--
                prelude?.onAnswer(value)
                value = null
            }
        }
    }

    override fun onDescription(description: RowDescriptionMessage) {
        if (ahead == 0) super.onDescription(description)
    }

    override fun onError(error: ErrorMessage) {
        if (ahead > 0) refused = prelude?.let { it.statements[it.answered] }
        ahead = 0
        super.onError(error)
    }

    override fun failedSql(): String = refused ?: statement.sql

    override fun ByteBuf.start(prepared: Prepared?) {
        if (prepared == null) {
            query(if (prelude == null) simpleSql else (prelude.statements + simpleSql).joinToString("; "))
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
        val NO_TYPES = IntArray(0)
        val NO_ARGUMENTS = SqlStatement("")

        /** The first column of a row that has one and is sent as text. */
        fun firstText(row: ByteBuf): String? {
            val start = row.readerIndex() + Short.SIZE_BYTES
            val length = row.getInt(start)
            return if (length < 0) null else row.toString(start + Int.SIZE_BYTES, length, Charsets.UTF_8)
        }

        /** What the server answers with ROLLBACK when the transaction has failed. */
        val commit = Regex("^\\s*(COMMIT|END|PREPARE\\s+TRANSACTION)\\b", RegexOption.IGNORE_CASE)
    }
}
