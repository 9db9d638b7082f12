package dev.bodyguard.telemetry.record;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AccessLineTest {
    @Test
    void hasIstiosKeysAndOurs() {
        assertThat(AccessLine.of(exchange("/pay?a=1", "curl"))).isEqualTo("""
            {"start_time":"2026-01-02T03:04:05.678Z","route_name":null,"method":"GET","path":"/pay?a=1",\
            "protocol":"HTTP/1.1","response_code":503,"response_flags":"UF,URX",\
            "response_code_details":"upstream_reset_before_response_started{connection_failure}",\
            "connection_termination_details":null,"bytes_received":5,"bytes_sent":7,"duration":12,\
            "upstream_service_time":null,"x_forwarded_for":null,"user_agent":"curl","request_id":null,\
            "authority":"payment-service","upstream_host":"127.0.0.1:9000",\
            "upstream_cluster":"outbound|80|v2|payment-service.default.svc.cluster.local",\
            "upstream_local_address":null,"downstream_local_address":null,\
            "downstream_remote_address":"127.0.0.1:5555","requested_server_name":null,\
            "upstream_transport_failure_reason":"connection refused","reporter":"source",\
            "source_workload":"unknown","destination_workload":"unknown","destination_version":"unknown",\
            "destination_service":"payment-service.default.svc.cluster.local",\
            "connection_security_policy":"none","peer":null,"attempts":4,"grpc_status":null,\
            "trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",\
            "rule":"VirtualService default/payment-vs spec.http[0] (payments.yaml:12:5)",\
            "sentence":"could not connect to 127.0.0.1:9000: connection refused"}
            """);
    }

    @Test
    void whatTheClientSentCannotEndTheLineOrForgeAKey() {
        String line = AccessLine.of(exchange("/\",\"rule\":\"x\n\u001b[2J\u2028\\", "\ud800"));

        assertThat(line).contains("\"path\":\"/\\\",\\\"rule\\\":\\\"x\\n\\u001b[2J\\u2028\\\\\"");
        assertThat(line).contains("\"user_agent\":\"\\ud800\"");
        assertThat(line.indexOf('\n')).isEqualTo(line.length() - 1);
    }

    private static Exchange exchange(String path, String userAgent) {
        return new Exchange(
                new Edge(
                        Edge.Reporter.SOURCE,
                        Party.UNKNOWN,
                        Party.UNKNOWN,
                        "payment-service.default.svc.cluster.local",
                        "payment-service",
                        "default",
                        Edge.Protocol.HTTP,
                        Edge.Security.NONE),
                1_767_323_045_678L,
                12_345_678,
                new Exchange.Request("GET", path, "HTTP/1.1", "payment-service", userAgent, null, null, 5),
                new Exchange.Response(
                        503, -1, "UF,URX", "upstream_reset_before_response_started{connection_failure}", null, 7),
                new Exchange.Upstream(
                        "outbound|80|v2|payment-service.default.svc.cluster.local",
                        "127.0.0.1:9000",
                        null,
                        4,
                        -1,
                        "connection refused"),
                new Exchange.Downstream(null, "127.0.0.1:5555", null, null, Edge.Security.NONE),
                new Exchange.Decision(
                        "",
                        "VirtualService default/payment-vs spec.http[0] (payments.yaml:12:5)",
                        "could not connect to 127.0.0.1:9000: connection refused"),
                TraceParent.parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
                0);
    }
}
