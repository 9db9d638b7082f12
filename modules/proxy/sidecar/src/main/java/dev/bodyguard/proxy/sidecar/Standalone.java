package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Limits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What a sidecar on a machine was told on its command line.
///
/// @param service the service this workload belongs to; also its service account
/// @param appPort where the app listens, on 127.0.0.1
/// @param workload this instance's name, unique in its namespace
/// @param labels what routing rules can ask of it, `app` and `version` included
/// @param state the folder a control plane shares with its sidecars
/// @param ttl wished life of a certificate
/// @param drainTime from the moment it is told to end until it is gone, the app that it has started included
/// @param traceSampling share of traces beginning here of which spans are sent, 0 to 1
/// @param accessLog whether a line per exchange goes to stdout
/// @param limits what one peer may ask of it
/// @param command the app to start beside the sidecar; empty where it was started by someone else
record Standalone(
        String service,
        String namespace,
        String workload,
        Map<String, String> labels,
        int appPort,
        Path state,
        int inboundPort,
        int outboundPort,
        int adminPort,
        Duration ttl,
        Duration drainTime,
        double traceSampling,
        boolean accessLog,
        Limits limits,
        List<String> command)
        implements Settings {
    static final String HELP = """
        usage: bodyguard sidecar --service NAME --app-port N [options] [-- COMMAND…]

          --service NAME      the service this workload belongs to; also its service account
          --app-port N        where the app listens, on 127.0.0.1
          --state DIR         the folder that `bodyguard run` keeps its state in; default: what BODYGUARD_STATE
                              names, else ./.bodyguard
          --version V         label `version`, which subsets of a DestinationRule select
          --namespace NS      default: default
          --name WORKLOAD     this instance's name; default: SERVICE-VERSION-APPPORT
          --labels k=v,…      more labels
          --outbound-port N   the app's HTTP proxy, on 127.0.0.1; default 0: allocated
          --inbound-port N    where the mesh reaches the app, by mutual TLS; default 0: allocated
          --admin-port N      health, metrics, configuration, drain; default 0: allocated
          --ttl DURATION      life of a certificate, such as 24h, 15m or 10s; default 24h
          --drain-time T      from SIGTERM until sidecar and app are gone, at most; default 8s, which docker
                              stop's ten leave. Callers hear of it and requests end within 5/8 of it, what
                              the app calls by 6/8; then the app gets SIGTERM, and at last SIGKILL
          --trace-sampling P  percent of the traces beginning here of which spans are sent; default 1. A
                              request with a traceparent is as its caller decided
          --access-log WHERE  a line of JSON per exchange: stdout, the default, or off
          --limits k=v,…      what one peer may ask of it, such as accepted=20000,headBytes=128KiB,idle=5m; names
                              and defaults are in docs/protocols.md
          -- COMMAND…         the app to start; it finds its proxy in HTTP_PROXY and HTTPS_PROXY

        BODYGUARD_PROFILE=gateway lets the JVM compile by all tiers and use more memory: for one that is busy
        for long. It warms up for longer.
        """;

    private static final Pattern DNS_LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9]([-_.A-Za-z0-9]{0,251}[A-Za-z0-9])?");
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m|h|d)");

    private static final Pattern PERCENT = Pattern.compile("[0-9]{1,3}([.][0-9]{1,6})?");

    Standalone {
        check(DNS_LABEL, "--service", service, "lower-case letters, digits and '-'");
        check(DNS_LABEL, "--namespace", namespace, "lower-case letters, digits and '-'");
        check(NAME, "--name", workload, "letters, digits, '-', '_' and '.'");
        if (appPort < 1 || appPort > 65_535) {
            throw new IllegalArgumentException("--app-port must be a port from 1 to 65535, was " + appPort);
        }
        checkPort("--inbound-port", inboundPort);
        checkPort("--outbound-port", outboundPort);
        checkPort("--admin-port", adminPort);
        if (ttl.compareTo(Duration.ofSeconds(10)) < 0) {
            throw new IllegalArgumentException("--ttl must be ten seconds or more, was " + ttl.toMillis() + "ms");
        }
        if (drainTime.compareTo(Duration.ofSeconds(1)) < 0) {
            throw new IllegalArgumentException(
                    "--drain-time must be a second or more, was " + drainTime.toMillis() + "ms");
        }
        labels = Map.copyOf(labels);
        command = List.copyOf(command);
    }

    @Override
    public String interceptionMode() {
        return "NONE";
    }

    @Override
    public Path certificates() {
        return state.resolve("certificates");
    }

    /// Its service account is named after its service.
    @Override
    public String serviceAccount() {
        return service;
    }

    @Override
    public String address() {
        return "127.0.0.1";
    }

    @Override
    public List<Integer> appPorts() {
        return List.of(appPort);
    }

    static Asked from(List<String> args, Map<String, String> environment) {
        try {
            return read(args, environment);
        } catch (IllegalArgumentException wrong) {
            return new Asked.Mistake("bodyguard sidecar: " + wrong.getMessage());
        }
    }

    private static Asked read(List<String> args, Map<String, String> environment) {
        var flags = new TreeMap<String, String>();
        List<String> command = List.of();
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if (arg.equals("--")) {
                command = new ArrayList<>(args.subList(i + 1, args.size()));
                if (command.isEmpty()) {
                    throw new IllegalArgumentException(
                            "nothing follows --: name the command to start, or leave -- out");
                }
                break;
            }
            if (arg.equals("--help") || arg.equals("-h")) {
                return new Asked.Help();
            }
            int equals = arg.indexOf('=');
            String flag = arg.startsWith("--") && equals > 0 ? arg.substring(0, equals) : arg;
            if (!KNOWN.contains(flag)) {
                throw new IllegalArgumentException("unknown flag " + flag + "; --help lists the known ones"
                        + (flag.startsWith("-") ? "" : ", and a command to start goes after --"));
            }
            String value;
            if (equals > 0) {
                value = arg.substring(equals + 1);
            } else if (i + 1 < args.size() && !args.get(i + 1).equals("--")) {
                value = args.get(++i);
            } else {
                throw new IllegalArgumentException(flag + " needs a value; --help shows which");
            }
            if (flags.put(flag, value) != null) {
                throw new IllegalArgumentException(flag + " is given twice");
            }
        }
        String service = required(flags, "--service");
        int appPort = number("--app-port", required(flags, "--app-port"));
        String version = flags.get("--version");
        var labels = new TreeMap<String, String>();
        labels.put("app", service);
        if (version != null) {
            labels.put("version", version);
        }
        labels.putAll(labels(flags.getOrDefault("--labels", "")));
        String workload = flags.getOrDefault(
                "--name", version == null ? service + "-" + appPort : service + "-" + version + "-" + appPort);
        return new Asked.Run(new Standalone(
                service,
                flags.getOrDefault("--namespace", "default"),
                workload,
                labels,
                appPort,
                Path.of(flags.getOrDefault("--state", stateFolder(environment)))
                        .toAbsolutePath()
                        .normalize(),
                number("--inbound-port", flags.getOrDefault("--inbound-port", "0")),
                number("--outbound-port", flags.getOrDefault("--outbound-port", "0")),
                number("--admin-port", flags.getOrDefault("--admin-port", "0")),
                duration("--ttl", flags.getOrDefault("--ttl", "24h")),
                duration("--drain-time", flags.getOrDefault("--drain-time", "8s")),
                share("--trace-sampling", flags.getOrDefault("--trace-sampling", "1")),
                logged(flags.getOrDefault("--access-log", "stdout")),
                LimitSettings.read("--limits", flags.getOrDefault("--limits", "")),
                command));
    }

    private static final List<String> KNOWN = List.of(
            "--service",
            "--app-port",
            "--state",
            "--version",
            "--namespace",
            "--name",
            "--labels",
            "--outbound-port",
            "--inbound-port",
            "--admin-port",
            "--ttl",
            "--drain-time",
            "--trace-sampling",
            "--access-log",
            "--limits");

    /// As `bodyguard run` has it without `--state`.
    private static String stateFolder(Map<String, String> environment) {
        String told = environment.getOrDefault("BODYGUARD_STATE", "");
        return told.isEmpty() ? ".bodyguard" : told;
    }

    private static String required(Map<String, String> flags, String flag) {
        String value = flags.get(flag);
        if (value == null) {
            throw new IllegalArgumentException(flag + " is missing; --help shows what it means");
        }
        return value;
    }

    private static double share(String flag, String percent) {
        if (!PERCENT.matcher(percent).matches() || Double.parseDouble(percent) > 100) {
            throw new IllegalArgumentException(flag + " must be a percentage, 0 to 100, was '" + percent + "'");
        }
        return Double.parseDouble(percent) / 100;
    }

    private static boolean logged(String where) {
        return switch (where) {
            case "stdout" -> true;
            case "off" -> false;
            default -> throw new IllegalArgumentException("--access-log must be stdout or off, was '" + where + "'");
        };
    }

    private static int number(String flag, String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException _) {
            throw new IllegalArgumentException(flag + " must be a number, was '" + value + "'");
        }
    }

    private static Map<String, String> labels(String text) {
        var labels = new TreeMap<String, String>();
        for (String pair : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            int equals = pair.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("--labels must be k=v,k=v, was '" + text + "'");
            }
            labels.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        return labels;
    }

    private static Duration duration(String flag, String text) {
        var parts = DURATION.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException(flag + " must be a number and ms, s, m, h or d, was '" + text + "'");
        }
        long count = Long.parseLong(parts.group(1));
        return switch (parts.group(2)) {
            case "ms" -> Duration.ofMillis(count);
            case "s" -> Duration.ofSeconds(count);
            case "m" -> Duration.ofMinutes(count);
            case "h" -> Duration.ofHours(count);
            default -> Duration.ofDays(count);
        };
    }

    private static void check(Pattern pattern, String flag, @Nullable String value, String allowed) {
        if (value == null || !pattern.matcher(value).matches()) {
            throw new IllegalArgumentException(flag + " must be made of " + allowed + ", was '" + value + "'");
        }
    }

    private static void checkPort(String flag, int port) {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException(flag + " must be a port from 0 to 65535 (0: allocated), was " + port);
        }
    }
}
