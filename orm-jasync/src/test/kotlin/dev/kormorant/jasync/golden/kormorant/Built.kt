package dev.kormorant.jasync.golden.kormorant

import dev.kormorant.RowQuery

internal typealias Built = RowQuery<*>
