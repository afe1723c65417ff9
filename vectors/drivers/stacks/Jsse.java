import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.io.ByteArrayInputStream;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/**
 * A server of JSSE. Each line of standard input is a connection: "tls" or "dtls", a tab, and
 * what the client sends, in hexadecimal, with commas between datagrams. The answer is
 * "wrote" and the first bytes that the server writes, "waits" or "closes".
 */
class Jsse {
    static SSLContext context(String protocol) throws Exception {
        char[] password = "password".toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (String[] key : new String[][] {{"rsa", "RSA"}, {"ecdsa", "EC"}}) {
            byte[] certificate = Files.readAllBytes(Path.of(key[0] + ".crt"));
            store.setKeyEntry(key[0],
                KeyFactory.getInstance(key[1]).generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(key[0] + ".key")))),
                password,
                new Certificate[] {CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(certificate))});
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(store, password);
        SSLContext context = SSLContext.getInstance(protocol);
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    static String answer(SSLContext context, String[] pieces) throws Exception {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        engine.beginHandshake();
        ByteBuffer data = ByteBuffer.allocate(70000), out = ByteBuffer.allocate(70000);
        for (String piece : pieces) {
            ByteBuffer in = ByteBuffer.wrap(HexFormat.of().parseHex(piece));
            String end = feed(engine, in, data, out);
            if (end != null)
                return end;
        }
        return "waits";
    }

    /** Returns the answer, or null if the server has read everything and waits for more. */
    static String feed(SSLEngine engine, ByteBuffer in, ByteBuffer data, ByteBuffer out) {
        for (;;) {
            HandshakeStatus status = engine.getHandshakeStatus();
            try {
                switch (status) {
                    case NEED_TASK:
                        for (Runnable task; (task = engine.getDelegatedTask()) != null;)
                            task.run();
                        break;
                    case NEED_WRAP:
                        SSLEngineResult wrapped = engine.wrap(ByteBuffer.allocate(0), out);
                        if (out.position() > 0)
                            return "wrote " + HexFormat.of().formatHex(Arrays.copyOf(out.array(), Math.min(out.position(), 16)));
                        if (wrapped.getStatus() == SSLEngineResult.Status.CLOSED)
                            return "closes";
                        break;
                    default:
                        // This throws what a task has thrown, too.
                        int before = in.remaining();
                        SSLEngineResult read = engine.unwrap(in, data);
                        if (read.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW)
                            return null;
                        if (engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING
                            || read.getStatus() == SSLEngineResult.Status.CLOSED && engine.getHandshakeStatus() != HandshakeStatus.NEED_WRAP)
                            return "closes";
                        if (in.remaining() == before && status == engine.getHandshakeStatus())
                            return null;
                }
            } catch (SSLException | RuntimeException e) {
                // The next wrap gives the alert, if there is one.
                if (engine.getHandshakeStatus() != HandshakeStatus.NEED_WRAP)
                    return "closes";
            }
        }
    }

    public static void main(String[] args) throws Exception {
        SSLContext tls = context("TLS"), dtls = context("DTLS");
        System.out.println("jsse@" + System.getProperty("java.version"));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] columns = line.split("\t", -1);
            if (columns[0].equals("tls"))
                System.out.println(answer(tls, new String[] {columns[1].replace(",", "")}));
            else
                System.out.println(answer(dtls, columns[1].split(",")));
        }
    }
}
