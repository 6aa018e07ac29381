package dev.kormorant.ktor

import dev.kormorant.ConnectionException
import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DataException
import dev.kormorant.DeadlockException
import dev.kormorant.OrmException
import dev.kormorant.PoolClosedException
import dev.kormorant.PoolTimeoutException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.RecordNotFoundException
import dev.kormorant.SerializationException
import dev.kormorant.StaleModelException
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.log
import io.ktor.server.response.header
import io.ktor.server.response.respondText
import kotlin.time.Duration

/**
 * The HTTP status that this error means to a client, or `null` if it means nothing but a fault of the server:
 *
 * | error | status |
 * |---|---|
 * | [RecordNotFoundException] | 404 |
 * | [ConstraintViolationException] of a unique, foreign key or exclusion constraint, [StaleModelException] | 409 |
 * | [ConstraintViolationException] of a check or NOT NULL, [DataException] | 400 |
 * | [PoolTimeoutException], [ConnectionException], [SerializationException], [DeadlockException] | 503 |
 * | [QueryTimeoutException] | 504 |
 */
public val OrmException.httpStatus: HttpStatusCode?
    get() = when (this) {
        is RecordNotFoundException -> HttpStatusCode.NotFound
        is ConstraintViolationException -> when (kind) {
            ConstraintKind.UNIQUE, ConstraintKind.FOREIGN_KEY, ConstraintKind.EXCLUSION -> HttpStatusCode.Conflict
            ConstraintKind.NOT_NULL, ConstraintKind.CHECK -> HttpStatusCode.BadRequest
        }
        is StaleModelException -> HttpStatusCode.Conflict
        is DataException -> HttpStatusCode.BadRequest
        is PoolTimeoutException, is PoolClosedException, is ConnectionException, is SerializationException, is DeadlockException -> HttpStatusCode.ServiceUnavailable
        is QueryTimeoutException -> HttpStatusCode.GatewayTimeout
        else -> null
    }

/** The client learns the status only: messages name tables and statements. What no status is for is logged and answered by 500. */
internal suspend fun answeringErrors(call: ApplicationCall, retryAfter: Duration, proceed: suspend () -> Unit) {
    try {
        proceed()
    } catch (error: OrmException) {
        if (call.response.isCommitted) throw error
        val status = error.httpStatus ?: HttpStatusCode.InternalServerError
        if (status == HttpStatusCode.InternalServerError) call.application.log.error("A call has failed in the database.", error)
        if (status == HttpStatusCode.ServiceUnavailable) {
            call.response.header(HttpHeaders.RetryAfter, retryAfter.inWholeSeconds.coerceAtLeast(1).toString())
        }
        call.respondText(status.description, status = status)
    }
}
