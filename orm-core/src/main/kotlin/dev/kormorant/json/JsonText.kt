package dev.kormorant.json

/** A JSON document as text, as a value of the functions of this package; it is not checked. */
public class JsonText(public val text: String) {
    override fun equals(other: Any?): Boolean = other is JsonText && other.text == text

    override fun hashCode(): Int = text.hashCode()

    override fun toString(): String = text

    public companion object {
        /**
         * The document that [value] is: `null`, text, numbers and booleans are themselves, an [Iterable] or array is an array, a [Map] an
         * object; a [JsonText] is taken as it is.
         *
         * @throws IllegalArgumentException for other classes and for numbers that are not finite.
         */
        @JvmStatic
        public fun of(value: Any?): JsonText = value as? JsonText ?: JsonText(StringBuilder().apply { write(value) }.toString())

        private fun StringBuilder.write(value: Any?) {
            when (value) {
                null -> append("null")
                is JsonText -> append(value.text)
                is CharSequence -> quoted(value)
                is Boolean -> append(value)
                is Number -> append(value.also { require(it.toDouble().isFinite()) { "JSON has no number $it." } })
                is Iterable<*> -> list(value)
                is Array<*> -> list(value.asList())
                is Map<*, *> -> {
                    append('{')
                    value.entries.forEachIndexed { index, (key, member) ->
                        if (index > 0) append(',')
                        quoted(key.toString())
                        append(':')
                        write(member)
                    }
                    append('}')
                }
                else -> throw IllegalArgumentException("A ${value.javaClass.name} is no JSON; give its text as JsonText.")
            }
        }

        private fun StringBuilder.list(elements: Iterable<*>) {
            append('[')
            elements.forEachIndexed { index, element ->
                if (index > 0) append(',')
                write(element)
            }
            append(']')
        }

        private fun StringBuilder.quoted(text: CharSequence) {
            append('"')
            for (char in text) {
                when {
                    char == '"' || char == '\\' -> append('\\').append(char)
                    char < ' ' -> append("\\u%04x".format(char.code))
                    else -> append(char)
                }
            }
            append('"')
        }
    }
}
