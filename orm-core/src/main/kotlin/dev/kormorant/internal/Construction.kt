package dev.kormorant.internal

import dev.kormorant.MappingException
import org.jetbrains.exposed.v1.core.dao.id.CompositeID
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import java.lang.invoke.MethodHandle
import java.lang.invoke.MethodHandles
import java.lang.invoke.MethodType
import java.lang.reflect.Constructor
import java.lang.reflect.InvocationTargetException
import java.lang.reflect.ParameterizedType
import java.util.UUID
import kotlin.reflect.KClass
import kotlin.reflect.KFunction
import kotlin.reflect.KParameter
import kotlin.reflect.full.primaryConstructor
import kotlin.reflect.jvm.isAccessible
import kotlin.reflect.jvm.javaConstructor
import kotlin.uuid.toJavaUuid
import kotlin.uuid.toKotlinUuid

/** How objects of one class are made; found once per class. */
internal class Construction<T : Any> private constructor(
    val parameters: List<Parameter>,
    /** Takes all arguments in one array. */
    private val handle: MethodHandle?,
    /** Of a Kotlin class; the only way where parameters are left out or are value classes. */
    private val function: KFunction<T>?,
) {
    @Suppress("UNCHECKED_CAST")
    fun create(arguments: Array<Any?>): T = if (handle != null) handle.invokeExact(arguments) as T else unwrapping { function!!.call(*arguments) }

    /** Leaves the parameters to their defaults whose position is negative. */
    fun createWithDefaults(arguments: Array<Any?>, positions: IntArray): T = unwrapping {
        val given = HashMap<KParameter, Any?>(arguments.size)
        for (parameter in function!!.parameters) if (positions[parameter.index] >= 0) given[parameter] = arguments[parameter.index]
        function.callBy(given)
    }

    companion object {
        private val FOUND = object : ClassValue<Construction<*>>() {
            override fun computeValue(type: Class<*>): Construction<*> =
                if (type.isAnnotationPresent(Metadata::class.java)) ofKotlin(type.kotlin) else ofJava(type)
        }

        @Suppress("UNCHECKED_CAST")
        fun <T : Any> of(type: KClass<T>): Construction<T> = FOUND.get(type.java) as Construction<T>

        private fun <T : Any> ofKotlin(type: KClass<T>): Construction<T> {
            val constructor = type.primaryConstructor.takeUnless { type.isAbstract || type.isSealed }
                ?: throw unusable(type.java, "it has no primary constructor")
            accessible(type.java) { constructor.isAccessible = true }
            val parameters = constructor.parameters.map { parameter ->
                Parameter(type.java, parameter.name.orEmpty(), classOf(parameter), parameter.type.isMarkedNullable, parameter.isOptional, elementOf(parameter))
            }
            val handle = if (parameters.any { it.isValueClass }) null else constructor.javaConstructor?.let(::handle)
            return Construction(parameters, handle, constructor)
        }

        private fun ofJava(type: Class<*>): Construction<*> {
            val constructor = if (type.isRecord) {
                type.getDeclaredConstructor(*type.recordComponents.map { it.type }.toTypedArray())
            } else {
                type.constructors.singleOrNull() ?: throw unusable(type, "it is not a record and does not have just one public constructor")
            }
            if (constructor.parameters.any { !it.isNamePresent && !type.isRecord }) throw unusable(type, "it is compiled without -parameters")
            accessible(type) { constructor.isAccessible = true }
            val names = if (type.isRecord) type.recordComponents.map { it.name } else constructor.parameters.map { it.name }
            val parameters = constructor.parameterTypes.mapIndexed { index, parameter ->
                val element = (constructor.genericParameterTypes[index] as? ParameterizedType)?.actualTypeArguments?.get(0) as? Class<*>
                Parameter(type, names[index], parameter.kotlin, takesNull = !parameter.isPrimitive, isOptional = false, element?.kotlin)
            }
            return Construction<Any>(parameters, handle(constructor), null)
        }

        private fun elementOf(parameter: KParameter): KClass<*>? = parameter.type.arguments.firstOrNull()?.type?.classifier as? KClass<*>

        private fun classOf(parameter: KParameter): KClass<*> = parameter.type.classifier as? KClass<*> ?: Any::class

        private fun handle(constructor: Constructor<*>): MethodHandle = MethodHandles.lookup().unreflectConstructor(constructor)
            .asSpreader(Array<Any?>::class.java, constructor.parameterCount)
            .asType(MethodType.methodType(Any::class.java, Array<Any?>::class.java))

        private inline fun accessible(type: Class<*>, open: () -> Unit) = try {
            open()
        } catch (error: RuntimeException) {
            throw unusable(type, "its constructor cannot be called from here", error)
        }

        private fun unusable(type: Class<*>, why: String, cause: Throwable? = null) = MappingException(
            "Rows cannot be mapped to ${type.name}: $why.",
            "Use a data class, a record, or a class with one public constructor, in a package that is open to this library.",
            cause,
        )
    }
}

/** What the constructor threw, as if it had been called. */
private inline fun <T> unwrapping(call: () -> T): T = try {
    call()
} catch (error: InvocationTargetException) {
    throw error.targetException
}

/** A parameter of a constructor, and what it makes of a value from a row. */
internal class Parameter(
    private val owner: Class<*>,
    val name: String,
    private val type: KClass<*>,
    val takesNull: Boolean,
    val isOptional: Boolean,
    /** Class of the elements if it is a list. */
    private val element: KClass<*>? = null,
) {
    /** What related models can become, the one or each of a list: a record or a class of Kotlin's; `null` if it takes plain values only. */
    val related: KClass<*>? get() = if (isMany) element else type.takeIf { it.java.isRecord || it.java.isAnnotationPresent(Metadata::class.java) && it !in PLAIN }

    /** Whether it takes many related models. */
    val isMany: Boolean get() = type in COLLECTIONS

    private val wanted: Class<*> = type.javaObjectType

    /** Wraps what a value class holds. */
    private val wrapper: KFunction<Any>? = if (type.isValue) type.primaryConstructor?.also { it.isAccessible = true } else null
    private val wrapped: Parameter? = wrapper?.parameters?.single()?.let {
        Parameter(owner, name, it.type.classifier as? KClass<*> ?: Any::class, it.type.isMarkedNullable, false)
    }
    private val constants: Map<String, Any>? = if (wanted.isEnum) wanted.enumConstants.associateBy { (it as Enum<*>).name } else null

    val isValueClass: Boolean get() = wrapper != null

    /** The argument for [value]; [adapt] may make one of a value that does not fit. */
    fun convert(value: Any?, field: String, adapt: (Any, Class<*>) -> Any?): Any? {
        if (value == null) {
            if (takesNull) return null
            throw MappingException("$this is not nullable, but $field is NULL in a row.", "Make it nullable, or leave such rows out.")
        }
        if (wanted.isInstance(value)) return value
        return adapted(if (value is EntityID<*>) value.value else value, field, adapt)
    }

    private fun adapted(value: Any, field: String, adapt: (Any, Class<*>) -> Any?): Any = when {
        wanted.isInstance(value) -> value
        wrapper != null -> wrapped!!.convert(value, field, adapt).let { unwrapping { wrapper.call(it) } }
        value is String && constants != null -> constants[value]
        value is UUID && wanted == kotlin.uuid.Uuid::class.java -> value.toKotlinUuid()
        value is kotlin.uuid.Uuid && wanted == UUID::class.java -> value.toJavaUuid()
        value is Number -> widened(value)
        else -> null
    } ?: adapt(value, wanted) ?: throw MappingException(
        "$this takes ${wanted.name}, but $field has a value of ${value.javaClass.name}.",
        "Change the type of the parameter to that of the column.",
    )

    /** The number as the wanted class if that holds all numbers of its own. */
    private fun widened(value: Number): Any? = when (wanted) {
        Short::class.javaObjectType -> if (value is Byte) value.toShort() else null
        Int::class.javaObjectType -> if (value is Byte || value is Short) value.toInt() else null
        Long::class.javaObjectType -> if (value is Byte || value is Short || value is Int) value.toLong() else null
        Double::class.javaObjectType -> if (value is Float || value is Int || value is Short || value is Byte) value.toDouble() else null
        else -> null
    }

    override fun toString(): String = "Parameter '$name' of ${owner.name}"

    private companion object {
        val COLLECTIONS: Set<KClass<*>> = setOf(List::class, Collection::class, Iterable::class)
        val PLAIN: Set<KClass<*>> = setOf(EntityID::class, CompositeID::class, kotlin.uuid.Uuid::class)
    }
}
