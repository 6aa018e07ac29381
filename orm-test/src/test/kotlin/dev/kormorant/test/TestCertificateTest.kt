package dev.kormorant.test

import java.security.cert.CertificateFactory
import java.security.cert.X509Certificate
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class TestCertificateTest {
    @Test
    fun `the certificate is valid, signed by its own key and issued to this machine's loopback`() {
        val pem = TestCertificate.create().files.getValue("server.crt")
        val certificate = CertificateFactory.getInstance("X.509").generateCertificate(pem.byteInputStream()) as X509Certificate
        certificate.checkValidity()
        certificate.verify(certificate.publicKey)
        assertEquals("CN=localhost", certificate.subjectX500Principal.name)
        assertEquals(certificate.subjectX500Principal, certificate.issuerX500Principal)
        assertEquals(setOf("localhost", "127.0.0.1"), certificate.subjectAlternativeNames.map { it[1] }.toSet())
    }
}
