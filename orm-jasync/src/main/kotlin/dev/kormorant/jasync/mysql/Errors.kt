package dev.kormorant.jasync.mysql

import dev.kormorant.ConnectionException
import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DataException
import dev.kormorant.DatabaseException
import dev.kormorant.DeadlockException
import dev.kormorant.ErrorDetails
import dev.kormorant.OrmException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.SerializationException
import dev.kormorant.SyntaxException
import io.netty.buffer.ByteBuf

/** An ERR packet. Its text may hold values of the statement: nothing of it is shown unseen. */
internal class ServerError(val code: Int, val sqlState: String, private val text: String) {
    /** Sentence that replaces the server's: values are left out, names are kept. */
    fun toException(sql: String?): OrmException = when (code) {
        1062, 1586 -> unique(sql)
        1451, 1452, 1216, 1217 -> foreignKey(sql)
        1048, 1364, 1263 -> notNull(sql)
        3819, 4025 -> check(sql)
        1213 -> DeadlockException("The database chose this transaction to break a deadlock and rolled it back.", details(sql), null)
        1205 -> DeadlockException("A lock could not be had within innodb_lock_wait_timeout.", details(sql), null)
        3572 -> DeadlockException("A row is locked by another transaction, and the statement says NOWAIT.", details(sql), null)
        1020 -> SerializationException("A row was changed by another transaction since it was read.", details(sql), null)
        1317 -> QueryTimeoutException("The statement was stopped on request.", null, details(sql), null)
        3024, 1969 -> QueryTimeoutException(
            "The statement ran longer than the server allows.",
            "Raise max_execution_time (MySQL) or max_statement_time (MariaDB).",
            details(sql),
            null,
        )
        in CONNECTION_ENDS -> ConnectionException("The server ended the connection: ${CONNECTION_ENDS.getValue(code)}.", null, null)
        in DATA -> DataException(DATA.getValue(code) + (column?.let { " in column $it." } ?: "."), details(sql, column = column), null)
        in SYNTAX -> SyntaxException(sentence(words), HINTS[code] ?: "Check the SQL that is part of this error.", details(sql), null)
        else -> when {
            sqlState.startsWith("22") ->
                DataException("A value does not fit its column (error $code).", details(sql, column = column), null)
            else -> DatabaseException("The database refused the statement (error $code): ${sentence(words)}", null, details(sql), null)
        }
    }

    /** The server's words with everything between quotes left out. */
    private val masked: String get() = QUOTED.replace(text, "'…'")

    /** The server's words where they hold names only. */
    val words: String get() = if (code in NAMES_ONLY) text else masked

    private fun details(sql: String?, constraint: String? = null, table: String? = null, column: String? = null) =
        ErrorDetails(sqlState, code, constraint, table, column, sql)

    private fun violation(kind: ConstraintKind, problem: String, details: ErrorDetails) =
        ConstraintViolationException(kind, problem, details, null)

    /** `Duplicate entry '…' for key 'table.key'`; only the last word is trusted, the entry may hold anything. */
    private fun unique(sql: String?): OrmException {
        val key = text.substringAfterLast(" for key ", "").trim('\'', '`')
        val name = key.substringAfterLast('.').ifEmpty { null }
        val problem = "A row with the same value of ${if (name == null) "a unique key" else "the unique key $name"} is already there."
        val table = key.substringBeforeLast('.', "").ifEmpty { null }
        return violation(ConstraintKind.UNIQUE, problem, details(sql, constraint = name, table = table))
    }

    private fun foreignKey(sql: String?): OrmException {
        val match = FOREIGN_KEY.find(text)
        val details = details(sql, constraint = match?.groupValues?.get(2), table = match?.groupValues?.get(1))
        val name = details.constraint?.let { " $it" }.orEmpty()
        val problem = when (code) {
            1451, 1217 -> "The row cannot be deleted or changed: other rows refer to it by the foreign key$name."
            else -> "The row refers by the foreign key$name to a row that is not there."
        }
        return violation(ConstraintKind.FOREIGN_KEY, problem, details)
    }

    private fun notNull(sql: String?): OrmException {
        val name = QUOTED_NAME.find(text)?.groupValues?.get(1)
        return violation(
            ConstraintKind.NOT_NULL,
            if (code == 1364) "Column $name has no default and got no value." else "Column $name must not be null.",
            details(sql, column = name),
        )
    }

    private fun check(sql: String?): OrmException {
        val name = QUOTED_NAME.find(text)?.groupValues?.get(1)
        return violation(ConstraintKind.CHECK, "The row breaks the check constraint $name.", details(sql, constraint = name))
    }

    /** The name behind `for column`, without schema and table. */
    private val column: String?
        get() = COLUMN.find(text)?.groupValues?.get(1)?.split('.')?.last()?.trim('`', '\'', '"')

    companion object {
        const val STATEMENT_UNKNOWN = 1243
        const val UNPREPARABLE = 1295
        const val TOO_MANY_STATEMENTS = 1461
        const val NEEDS_PREPARE = 1615

        /** Reads what follows the mark of an ERR packet. Before the log-in it has no SQLSTATE. */
        fun read(buf: ByteBuf, end: Int): ServerError {
            val code = buf.readUnsignedShortLE()
            val hasState = end - buf.readerIndex() >= 6 && buf.getByte(buf.readerIndex()) == '#'.code.toByte()
            val state = if (hasState) buf.readText(6).drop(1) else "HY000"
            return ServerError(code, state, buf.readText(end - buf.readerIndex()))
        }

        /** What a server says before it closes the connection. */
        fun unasked(buf: ByteBuf, end: Int): ConnectionException {
            if (buf.readUnsignedByte().toInt() != 0xFF) {
                return ConnectionException("The server sent something that was not asked for.", null, null)
            }
            val error = read(buf, end)
            val reason = CONNECTION_ENDS[error.code] ?: "error ${error.code}"
            return ConnectionException("The server ended the connection: $reason.", null, null)
        }

        private fun sentence(text: String) = if (text.endsWith('.')) text else "$text."

        private val QUOTED = Regex("""'.*'|"[^"]*"""", RegexOption.DOT_MATCHES_ALL)
        private val FOREIGN_KEY = Regex("""\(`[^`]*`\.`([^`]*)`, CONSTRAINT `([^`]*)`""")
        private val QUOTED_NAME = Regex("""['`]([^'`]*)['`]""")
        private val COLUMN = Regex("""for column (\S+) at row \d+$""")

        private val CONNECTION_ENDS = mapOf(
            1053 to "it is shutting down",
            1152 to "it was aborted",
            1153 to "a packet was larger than its max_allowed_packet",
            1158 to "it could not read from the network",
            1159 to "it waited too long for the client",
            1160 to "it could not write to the network",
            1161 to "it waited too long for the client",
            1184 to "it was aborted",
            1927 to "it was killed",
            4031 to "it was idle for too long",
        )

        private val DATA = mapOf(
            1264 to "A number is out of the range of its type",
            1265 to "A value does not fit its type",
            1292 to "A value is not of the form of its type",
            1365 to "Division by zero",
            1366 to "A value is not of the form of its type",
            1367 to "A value is not of the form of its type",
            1406 to "A value is too long",
            1411 to "A value is not of the form of its type",
            1416 to "A value is no geometry",
            1441 to "A date is out of range",
            1690 to "The result of a calculation is out of the range of its type",
            3140 to "A value is no valid JSON",
            3141 to "A value is no valid JSON",
            3156 to "A JSON value cannot be converted",
        )

        private val SYNTAX =
            setOf(1046, 1051, 1052, 1054, 1064, 1066, 1072, 1091, 1109, 1136, 1140, 1146, 1149, 1222, 1241, 1305, 1318, 1630)

        private val HINTS = mapOf(
            1051 to "Create the table first, or check its name and the database of the URL.",
            1054 to "Compare the names of the columns with the table in the database.",
            1064 to "The words behind `near` begin where the server lost the thread.",
            1146 to "Create the table first, or check its name and the database of the URL.",
            1305 to "Create the function first, or check its name.",
            1630 to "Create the function first, or check its name.",
        )

        /** Errors whose text names things of the schema, or repeats the statement, but no values. */
        private val NAMES_ONLY = SYNTAX + setOf(
            1007, 1008, 1044, 1045, 1049, 1050, 1060, 1061, 1068, 1101, 1118, 1142, 1143, 1191, 1227, 1235, 1242, 1304, 1370, 1419,
            1568, 1698, 1792, 1822, 1824, 1826, 3065, 3730,
        )
    }
}

/** An ERR packet as the answer to the log-in. */
internal fun connectionRefused(address: MySqlAddress, error: ServerError): ConnectionException {
    val (problem, hint) = when (error.code) {
        1045, 1698, 3118, 3159 ->
            "$address refused the log-in of user ${address.user}." to "Check user and password, and the hosts of the account."
        1044, 1142 ->
            "User ${address.user} may not use the database ${address.database} at $address." to "Grant the user rights on it."
        1049 -> "There is no database ${address.database} at $address." to "Create it, or correct the name in the URL."
        1040, 1203, 1226 ->
            "$address has no connection left." to "Lower the size of the pools, or raise max_connections in the server."
        1129, 1130 -> "$address does not accept connections from this host." to "Look into the log of the server."
        1053 -> "$address is shutting down." to null
        else -> "$address refused the connection (error ${error.code}): ${error.words}" to null
    }
    return ConnectionException(problem, hint, null, isTransient = error.code in TRANSIENT_REFUSALS)
}

private val TRANSIENT_REFUSALS = setOf(1040, 1053, 1203, 1226)
