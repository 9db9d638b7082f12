package dev.bodyguard.discovery;

import dev.bodyguard.source.kubernetes.Cluster;
import dev.bodyguard.xds.protocol.discovery.v1.Verdict;
import java.io.IOException;
import java.util.List;

/// An API server. The only class that needs Kubernetes' client, and loaded only where it is asked for: a process that
/// reads files starts without.
record OfKubernetes(Cluster cluster) implements Source {
    static Source open(Events events) {
        return new OfKubernetes(Cluster.open(new Told(events)));
    }

    @Override
    public Found next() throws IOException, InterruptedException {
        var changes = cluster.next();
        long read = System.nanoTime();
        return new Found(changes.put(), changes.removed(), changes.workloads(), changes.gone(), List.of(), read, read);
    }

    @Override
    public void report(Verdict verdict) {
        cluster.report(new dev.bodyguard.source.kubernetes.Verdict(
                verdict.getDocument(),
                verdict.getGeneration(),
                verdict.getAccepted(),
                verdict.getWhy(),
                verdict.getOverridden(),
                Math.max(0, Math.min(verdict.getInForce(), verdict.getProxies())),
                Math.max(0, verdict.getProxies())));
    }

    @Override
    public void close() {
        cluster.close();
    }

    private record Told(Events events) implements dev.bodyguard.source.kubernetes.Events {
        @Override
        public void lost(String what, String why) {
            events.clusterLost(what, why);
        }

        @Override
        public void back() {
            events.clusterBack();
        }

        @Override
        public void watching(String what) {
            events.clusterHas(what);
        }

        @Override
        public void forgotten(String what) {
            events.clusterHasNoMore(what);
        }

        @Override
        public void leftOut(String object, String why) {
            events.leftOut(object, why);
        }

        @Override
        public void statusRefused(String document, String why) {
            events.statusRefused(document, why);
        }
    }
}
