package dev.kormorant.jasync.postgresql

import com.github.jasync.sql.db.postgresql.messages.backend.RowDescriptionMessage
import dev.kormorant.DecodeException
import dev.kormorant.driver.RawColumn
import io.netty.buffer.ByteBuf

/** The columns of a result with the decoder of each, chosen once for all rows. */
internal class RowLayout private constructor(
    val columns: List<RawColumn>,
    private val decoders: Array<Decoder>,
    /** [Format] per column; empty when all are text. */
    val formats: IntArray,
) {
    fun decode(row: ByteBuf): Array<Any?> {
        var at = row.readerIndex()
        val count = row.getUnsignedShort(at)
        check(count == decoders.size) { "A row has $count columns, not ${decoders.size}." }
        at += Short.SIZE_BYTES
        val values = arrayOfNulls<Any?>(count)
        var index = 0
        try {
            while (index < count) {
                val length = row.getInt(at)
                at += Int.SIZE_BYTES
                if (length >= 0) {
                    values[index] = decoders[index].decode(row, at, length)
                    at += length
                }
                index++
            }
        } catch (_: RuntimeException) {
            throw unreadable(index)
        }
        return values
    }

    /** Reads columns again whose types were not known when [rows] were read as text. */
    fun reparse(rows: List<Array<Any?>>, description: RowDescriptionMessage, oids: Set<Int>, types: TypeCatalog) {
        description.columnDatas.forEachIndexed { index, column ->
            if (column.dataType !in oids) return@forEachIndexed
            val parse = types[column.dataType].parse
            try {
                for (row in rows) row[index] = row[index]?.let { parse(it as String) }
            } catch (_: RuntimeException) {
                throw unreadable(index)
            }
        }
    }

    /** Without the cause, whose message may repeat the value. */
    private fun unreadable(index: Int) = DecodeException(
        "A value of the column ${columns[index].name} cannot be read as ${columns[index].type}.",
        "Cast the column to text in the query.",
        null,
    )

    companion object {
        val EMPTY: RowLayout = RowLayout(emptyList(), emptyArray(), IntArray(0))

        /** All columns as text: the form in which a statement that is not known yet answers. */
        fun text(description: RowDescriptionMessage, types: TypeCatalog): RowLayout = of(description, types) { Format.TEXT }

        /** Binary for the columns whose type has a binary decoder. */
        fun binary(description: RowDescriptionMessage, types: TypeCatalog): RowLayout =
            of(description, types) { if (it.binary == null) Format.TEXT else Format.BINARY }

        private inline fun of(description: RowDescriptionMessage, catalog: TypeCatalog, format: (PgType) -> Int): RowLayout {
            val columns = description.columnDatas
            val types = columns.map { catalog[it.dataType] }
            val formats = IntArray(columns.size) { format(types[it]) }
            return RowLayout(
                columns.mapIndexed { index, column -> RawColumn(column.name, types[index].name) },
                Array(columns.size) { if (formats[it] == Format.BINARY) types[it].binary!! else types[it].text },
                if (formats.all { it == Format.TEXT }) IntArray(0) else formats,
            )
        }
    }
}
