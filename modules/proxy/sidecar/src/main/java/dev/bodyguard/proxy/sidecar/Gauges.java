package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.telemetry.record.Meters;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.time.InstantSource;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What a sidecar tells about itself, beside its exchanges.
final class Gauges {
    private Gauges() {}

    static void add(
            Meters meters,
            Supplier<@Nullable Svid> svid,
            BooleanSupplier followsConfig,
            LongSupplier directMemory,
            LongSupplier underWay,
            LongSupplier droppedLines,
            LongSupplier ejected,
            InstantSource clock) {
        meters.gauge(
                "cert_expiry_seconds",
                "Seconds until this workload's certificate expires; NaN while there is none.",
                () -> {
                    var current = svid.get();
                    return current == null ? Double.NaN : (current.expiresAt().toEpochMilli() - clock.millis()) / 1e3;
                });
        meters.gauge(
                "bodyguard_xds_connected",
                "1 while the configuration stream is up, otherwise 0.",
                () -> followsConfig.getAsBoolean() ? 1 : 0);
        meters.gauge(
                "bodyguard_wire_direct_memory_bytes",
                "Direct memory that the event loops' buffers hold.",
                directMemory::getAsLong);
        meters.gauge(
                "bodyguard_requests_under_way_bytes",
                "Heap that requests under way hold, as it is reckoned where further ones are refused.",
                underWay::getAsLong);
        meters.gauge(
                "bodyguard_access_log_dropped_lines",
                "Lines that were not written because their reader was too slow.",
                droppedLines::getAsLong);
        meters.gauge(
                "bodyguard_upstream_endpoints_ejected",
                "Endpoints that are left alone now, as they failed too often in a row.",
                ejected::getAsLong);
        var runtime = Runtime.getRuntime();
        meters.gauge(
                "jvm_memory_heap_used_bytes",
                "Heap in use, garbage included.",
                () -> runtime.totalMemory() - runtime.freeMemory());
        meters.gauge("jvm_memory_heap_max_bytes", "Heap that may be used at most.", runtime::maxMemory);
        for (var pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            if (pool.getName().equals("direct")) {
                meters.gauge(
                        "jvm_memory_direct_used_bytes",
                        "Direct memory of the runtime's own buffers.",
                        pool::getMemoryUsed);
            }
        }
        var process = ManagementFactory.getRuntimeMXBean();
        meters.gauge(
                "process_start_time_seconds",
                "When this process began, in seconds since 1970.",
                () -> process.getStartTime() / 1e3);
        meters.gauge("process_threads", "Threads that run.", Thread::activeCount);
    }
}
