package dev.kormorant.internal

/** A place in the user's code: the innermost frame that is not the library's. */
internal class Site private constructor(private val frame: StackWalker.StackFrame?) {
    override fun toString(): String = frame?.let { "at ${it.fileName}:${it.lineNumber}" } ?: "at an unknown place"

    companion object {
        val UNKNOWN: Site = Site(null)

        private val WALKER: StackWalker = StackWalker.getInstance()

        /** Where the current call comes from. Walks only as far as that frame; its file and line are read when they are printed. */
        fun here(): Site = Site(WALKER.walk { frames -> frames.filter { !isOurs(it.className) }.findFirst().orElse(null) })

        fun isOurs(className: String): Boolean = PACKAGES.any { className.startsWith(it) }

        private val PACKAGES = arrayOf(
            "dev.kormorant.internal.", "dev.kormorant.Database", "dev.kormorant.Transaction", "dev.kormorant.Children", "dev.kormorant.ManualTransaction",
            "dev.kormorant.ModelClass", "dev.kormorant.StatementsKt", "dev.kormorant.Query", "dev.kormorant.ModelQuery", "dev.kormorant.Model$", "dev.kormorant.ModelKt",
            "dev.kormorant.async.", "kotlinx.coroutines.", "kotlin.", "java.", "jdk.",
        )
    }
}
