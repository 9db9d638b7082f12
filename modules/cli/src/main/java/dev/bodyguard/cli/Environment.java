package dev.bodyguard.cli;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/// Environment variables that stand for options which are not given: the same that the control plane's own processes
/// read.
record Environment(Map<String, String> variables) implements IDefaultValueProvider {
    private static final Map<String, String> VARIABLES =
            Map.of("--state", "BODYGUARD_STATE", "--identity", "BODYGUARD_IDENTITY");

    Environment {
        variables = Map.copyOf(variables);
    }

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
        var variable = argument instanceof OptionSpec option ? VARIABLES.get(option.longestName()) : null;
        var value = variable == null ? null : variables.get(variable);
        return value == null || value.isEmpty() ? null : value;
    }
}
