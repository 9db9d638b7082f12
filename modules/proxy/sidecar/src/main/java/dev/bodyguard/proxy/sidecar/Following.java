package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.engine.RouteRule;
import dev.bodyguard.proxy.wire.Fields;
import java.util.function.Consumer;

/// Does what a rule says with a request that it matched: a fault on purpose first, then an answer made here, or the way
/// onward, which each side of a sidecar knows for itself.
final class Following {
    private Following() {}

    static void follow(Call call, RouteRule rule, Consumer<RouteRule.Forward> onward) {
        call.facts().routeName = rule.name();
        call.facts().rule = rule.origin();
        var fault = rule.fault();
        if (fault != null && fault.delays(call.loop().random())) {
            call.facts().flag("DI");
            call.wait(fault.delay(), () -> act(call, rule, onward));
        } else {
            act(call, rule, onward);
        }
    }

    private static void act(Call call, RouteRule rule, Consumer<RouteRule.Forward> onward) {
        var fault = rule.fault();
        if (fault != null && fault.aborts(call.loop().random())) {
            call.refuse(new Refusal.Aborted(fault.abortStatus(), rule.origin()));
            return;
        }
        switch (rule.action()) {
            case RouteRule.Forward forward -> onward.accept(forward);
            case RouteRule.Refuse(var refusal) -> call.refuse(refusal);
            case RouteRule.Respond(int status, var body) ->
                respond(call, rule, status, Fields.of("content-type", "text/plain; charset=utf-8"), body);
            case RouteRule.Redirect redirect ->
                respond(call, rule, redirect.status(), Fields.of("location", redirect.location(call.request())), "");
        }
    }

    /// Told as the rule's own answer: in the log it would otherwise look like one of the service.
    private static void respond(Call call, RouteRule rule, int status, Fields fields, String body) {
        var who = rule.origin() == null ? "the rule" : rule.origin();
        call.facts().sentence = who + " answers by itself, with " + status + "; no service is asked";
        call.respond(status, fields, body, rule.response(), "direct_response");
    }
}
