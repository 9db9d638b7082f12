package dev.bodyguard.cli;

import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `bodyguard explain --from checkout --to http://payment-service/pay`: what the sidecars would do with a request.
@Command(
        name = "explain",
        description = {
            "Asks the sidecars of this machine what they would do with a request, and by which rule; nothing is sent.",
            "Ends with status 0 whether it would be let through or refused, and 1 where that cannot be found out."
        },
        mixinStandardHelpOptions = true)
final class ExplainCommand implements Callable<Integer> {
    @Option(
            names = "--from",
            paramLabel = "NAME",
            required = true,
            description = "Who asks: a service, service.namespace, or a workload.")
    private @Nullable String from;

    @Option(
            names = "--to",
            paramLabel = "URL",
            required = true,
            description = "What is asked: http://HOST[:PORT]/PATH.")
    private @Nullable String to;

    @Option(names = "--method", defaultValue = "GET", description = "With which method (${DEFAULT-VALUE}).")
    private String method = "GET";

    @Option(names = "--header", paramLabel = "NAME:VALUE", description = "With which headers; may be repeated.")
    private List<String> headers = List.of();

    @Mixin
    private StateFolder state = new StateFolder();

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    @Override
    public Integer call() {
        if (from == null || to == null) {
            throw new Failure("explain needs --from NAME and --to URL");
        }
        var explanation = Explanation.of(state.folder(), from, new Explanation.Question(method, to, headers));
        if (json) {
            System.out.println(Json.write(explanation.tree()));
        } else {
            explanation.print(System.out);
        }
        return explanation.isComplete() ? 0 : 1;
    }
}
