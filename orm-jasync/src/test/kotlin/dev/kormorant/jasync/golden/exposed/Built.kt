package dev.kormorant.jasync.golden.exposed

import org.jetbrains.exposed.v1.core.AbstractQuery

internal typealias Built = AbstractQuery<*>
