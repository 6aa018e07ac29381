package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.driver.DriverFeature
import dev.kormorant.driver.SqlStatement
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * The bytes of `COPY … TO STDOUT`, in the format that [sql] names; UTF-8 where they are text. PostgreSQL only.
 *
 * Each collection runs the statement anew. The bytes come in pieces of up to about 256 KiB, cut anywhere; a slow collector makes the server wait. The
 * connection is held to the end of the collection, that of the transaction where there is one, and cancelling or leaving it early stops the COPY.
 *
 * @throws UnsupportedByDialectException at once, before anything is sent, on other databases.
 * @throws IllegalArgumentException at once if [sql] is no such statement.
 */
public fun Database.copyOut(sql: String): Flow<ByteArray> {
    require(DriverFeature.COPY, "COPY")
    require(COPY_OUT.containsMatchIn(sql)) { "copyOut() takes a statement COPY … TO STDOUT." }
    val statement = SqlStatement(sql, reusable = false)
    return flow {
        onConnection(Access.WRITE) { connection ->
            val level = currentLevel()?.also { it.session.turns.streaming() }
            stopping(connection) {
                val copy = within(statement, level) { connection.copyOut(sql) }
                while (true) {
                    val piece = within(statement, level) { copy.next() ?: NOTHING }
                    if (piece.isEmpty()) break
                    emit(piece)
                }
            }
        }
    }
}

/**
 * Sends [data] as the input of `COPY … FROM STDIN`, in the format that [sql] names, and returns how many rows the server has stored: all or,
 * after any failure, none. PostgreSQL only.
 *
 * The pieces of [data] may be cut anywhere; the next one is asked for when the server has taken the one before. The connection is held meanwhile, that
 * of the transaction where there is one. If [data] fails or the caller is cancelled, the server forgets what it got.
 *
 * @throws UnsupportedByDialectException before anything is sent on other databases.
 * @throws IllegalArgumentException if [sql] is no such statement.
 * @throws DatabaseException if the server refuses the data.
 */
public suspend fun Database.copyIn(sql: String, data: Flow<ByteArray>): Long {
    require(DriverFeature.COPY, "COPY")
    require(COPY_IN.containsMatchIn(sql)) { "copyIn() takes a statement COPY … FROM STDIN." }
    val statement = SqlStatement(sql, reusable = false)
    return onConnection(Access.WRITE) { connection ->
        val level = currentLevel()?.also { it.session.turns.streaming() }
        stopping(connection) {
            val copy = within(statement, level) { connection.copyIn(sql) }
            data.collect { bytes -> within(statement, level) { copy.write(bytes) } }
            within(statement, level) { copy.end() }
        }
    }
}

private val NOTHING = ByteArray(0)
private val COPY_OUT = Regex("""^\s*COPY\b.*\bTO\s+STDOUT\b""", setOf(RegexOption.IGNORE_CASE, RegexOption.DOT_MATCHES_ALL))
private val COPY_IN = Regex("""^\s*COPY\b.*\bFROM\s+STDIN\b""", setOf(RegexOption.IGNORE_CASE, RegexOption.DOT_MATCHES_ALL))
