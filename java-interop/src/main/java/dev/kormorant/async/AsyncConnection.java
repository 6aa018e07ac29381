package dev.kormorant.async;

import dev.kormorant.async.internal.Funnel;

/**
 * The handle of a pinned connection: what is called on it runs on that one connection, in the order of the calls, each statement in
 * autocommit. Session state such as temporary tables is seen by all of them. A call after its block has ended fails with
 * {@code TransactionClosedException}.
 */
public final class AsyncConnection extends AsyncStatements {
    AsyncConnection(Funnel funnel) {
        super(funnel);
    }
}
