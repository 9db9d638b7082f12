package dev.bodyguard.cli;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// `bodyguard demo`.
@Command(
        name = "demo",
        description = {
            "Runs the payments sample in a mesh of its own on this machine, sends requests and shows what happens.",
            "Ends after --requests or --for, otherwise at Ctrl-C; no process and no port stays behind.",
            "Exits with 0 when the run completed, however many requests succeeded; with 1 when it could not start."
        },
        mixinStandardHelpOptions = true)
final class DemoCommand implements Runnable {
    /// Requests a second while nobody said how many requests to send: something to watch, and a machine left to work
    /// on.
    private static final int GENTLE = 100;

    @Option(names = "--json", description = "Print one JSON object at the end, and the live table on standard error.")
    private boolean json;

    @Option(
            names = "--state",
            paramLabel = "DIR",
            description =
                    "Keep YAML (mesh/, may be edited), logs and mesh.json there (default: what BODYGUARD_STATE names,"
                            + " else a temporary folder).")
    private @Nullable Path state;

    @Option(
            names = "--dialect",
            paramLabel = "NAME",
            converter = Wordings.class,
            description = "Whose words the sample's YAML is in: istio, linkerd or gateway (default: istio).")
    private Wording wording = Wording.ISTIO;

    @Option(names = "--requests", paramLabel = "N", description = "End after this many requests.")
    private @Nullable Long requests;

    @Option(
            names = "--for",
            paramLabel = "DURATION",
            converter = Spans.class,
            description = "End after this long, such as 30s or 5m.")
    private @Nullable Duration forThatLong;

    @Option(
            names = "--rate",
            paramLabel = "N",
            description =
                    "Requests a second; 0: as many as are answered (default: 0 with --requests, else " + GENTLE + ").")
    private @Nullable Integer rate;

    @Option(
            names = "--restart-after",
            paramLabel = "DURATION",
            converter = Spans.class,
            description = "A process that died is started again after this long (default: 5s).")
    private Duration restartAfter = Duration.ofSeconds(5);

    @Option(
            names = "--trace-sampling",
            paramLabel = "PERCENT",
            description = "Percent of requests whose spans are sent (default: ${DEFAULT-VALUE}).",
            defaultValue = "100")
    private double traceSampling;

    @Option(
            names = "--trace-export",
            paramLabel = "FORMAT=URL",
            description = {
                "Hand spans on, such as zipkin=http://127.0.0.1:9411/api/v2/spans",
                "or otlp=http://127.0.0.1:4318/v1/traces; may be given more than once."
            })
    private List<String> traceExports = List.of();

    @Override
    public void run() {
        if (requests != null && requests < 1) {
            throw new Failure("--requests must be 1 or more, was " + requests);
        }
        if (rate != null && rate < 0) {
            throw new Failure("--rate must be 0 or more, was " + rate);
        }
        if (!(traceSampling >= 0 && traceSampling <= 100)) {
            throw new Failure("--trace-sampling must be a percentage, 0 to 100, was " + traceSampling);
        }
        int perSecond = rate != null ? rate : requests != null ? 0 : GENTLE;
        var settings = new Demo.Settings(
                json,
                state,
                wording,
                requests == null ? Long.MAX_VALUE : requests,
                forThatLong == null ? Duration.ofDays(10_000) : forThatLong,
                perSecond,
                restartAfter,
                new BigDecimal(traceSampling)
                        .setScale(6, RoundingMode.HALF_UP)
                        .stripTrailingZeros()
                        .toPlainString(),
                traceExports);
        new Demo(Installation.fromLauncher(), settings, System.out, System.err).run();
    }

    /// `istio`, `linkerd`, `gateway`.
    static final class Wordings implements ITypeConverter<Wording> {
        @Override
        public Wording convert(String text) {
            return switch (text) {
                case "istio" -> Wording.ISTIO;
                case "linkerd" -> Wording.LINKERD;
                case "gateway" -> Wording.GATEWAY;
                default -> throw new TypeConversionException("must be istio, linkerd or gateway, was '" + text + "'");
            };
        }
    }

    /// `500ms`, `30s`, `5m`, `1h`.
    static final class Spans implements ITypeConverter<Duration> {
        private static final Pattern FORM = Pattern.compile("(\\d{1,9})(ms|s|m|h)");

        @Override
        public Duration convert(String text) {
            var form = FORM.matcher(text);
            if (!form.matches()) {
                throw new TypeConversionException("must be a number and ms, s, m or h, was '" + text + "'");
            }
            long number = Long.parseLong(form.group(1));
            return switch (form.group(2)) {
                case "ms" -> Duration.ofMillis(number);
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                default -> Duration.ofHours(number);
            };
        }
    }
}
