import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Runs TlsFlags on the vectors.
 *
 * <pre>
 *   java Run FOLDER     on the files that FOLDER/index.tsv lists
 *   java Run --answer   speaks the protocol of "tlsflags vectors run", in TSV
 * </pre>
 */
final class Run {
    private static final Set<String> KINDS = Set.of("tls_flags", "client_hello");

    public static void main(String[] args) throws IOException {
        if (args.length != 1) {
            System.err.println("usage: java Run FOLDER|--answer");
            System.exit(2);
        }
        if (args[0].equals("--answer")) serve();
        else System.exit(run(Path.of(args[0])) ? 0 : 1);
    }

    /** Returns the columns from result to flags, without the alternatives. */
    private static String answer(String entry, byte[] input) {
        try {
            TlsFlags.Flags flags = entry.equals("handshake") ? TlsFlags.parseClientHello(input) : TlsFlags.parse(input);
            String numbers = flags.numbers().stream().map(String::valueOf).collect(Collectors.joining(","));
            return "valid\t\t\t\t" + flags.extension() + "\t" + (numbers.isEmpty() ? "-" : numbers);
        } catch (TlsFlags.Malformed e) {
            return "invalid\t" + e.code + "\t" + e.offset + "\t" + e.alert + "\t\t";
        }
    }

    private static boolean run(Path folder) throws IOException {
        List<String> lines = Files.readAllLines(folder.resolve("index.tsv"));
        String[] names = lines.get(0).split("\t", -1);
        int count = 0;
        int passed = 0;
        for (String line : lines.subList(1, lines.size())) {
            String[] cells = line.split("\t", -1);
            Map<String, String> row = new HashMap<>();
            for (int i = 0; i < names.length; i++) row.put(names[i], cells[i]);
            if (!KINDS.contains(row.get("kind"))) continue;
            count++;
            if (check(row, Files.readAllBytes(folder.resolve(row.get("id") + ".bin")))) passed++;
        }
        System.out.println("java: " + passed + " of " + count + " vectors pass");
        return passed == count;
    }

    private static boolean check(Map<String, String> row, byte[] input) {
        String prefixes = row.get("prefixes");
        if (prefixes.isEmpty()) return check(row, input, row.get("offset"));
        String[] range = prefixes.split("-");
        for (int n = Integer.parseInt(range[0]); n <= Integer.parseInt(range[1]); n++) {
            if (!check(row, Arrays.copyOf(input, n), String.valueOf(n))) return false;
        }
        return true;
    }

    private static boolean check(Map<String, String> row, byte[] input, String offset) {
        String want = String.join("\t", row.get("result"), row.get("code"), offset, row.get("alert"),
                row.get("flags_extension"), row.get("flags"));
        String got = answer(row.get("entry"), input);
        if (got.equals(want)) return true;
        System.out.printf("%s: got [%s], want [%s] (%s)%n", row.get("id"), got, want, row.get("clause"));
        return false;
    }

    /** Answers tests with the columns id, kind, entry and, in hexadecimal, input. */
    private static void serve() throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] columns = line.split("\t", -1);
            String reply = "skipped";
            if (KINDS.contains(columns[1])) reply = answer(columns[2], HexFormat.of().parseHex(columns[3]));
            System.out.println(columns[0] + "\t" + reply);
        }
    }
}
