package dev.kormorant.test

import java.time.Duration
import org.testcontainers.containers.GenericContainer
import org.testcontainers.containers.wait.strategy.Wait
import org.testcontainers.images.builder.Transferable

/** The one class that knows Testcontainers, loaded only where that is present. Testcontainers removes the container after the JVM's end. */
internal class ServerContainer private constructor(image: ServerImage, port: Int) : GenericContainer<ServerContainer>(image.name) {
    init {
        withExposedPorts(port)
        withEnv(image.environment)
        withCommand(*image.command.toTypedArray())
        image.files.forEach { (path, content) -> withCopyToContainer(Transferable.of(content), path) }
        waitingFor(Wait.forLogMessage(image.readyPattern, image.readyTimes).withStartupTimeout(Duration.ofMinutes(3)))
    }

    companion object {
        fun start(recipe: ServerRecipe): Endpoint {
            val account = Account.create()
            val port = recipe.kind.defaultPort
            val container = ServerContainer(recipe.image(account), port)
            container.start()
            return Endpoint(
                recipe.kind.scheme,
                container.host,
                container.getMappedPort(port),
                account.user,
                account.password,
                recipe.database,
                cachingSha2User = recipe.cachingSha2User(account),
            )
        }
    }
}
