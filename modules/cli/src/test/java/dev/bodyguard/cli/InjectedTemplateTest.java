package dev.bodyguard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/// What kubectl makes of the arguments shows `conformance/run kubernetes` (TestInstallAndUninstall).
final class InjectedTemplateTest {
    @Test
    void isOneThatPodsMayStillStartFrom() {
        assertThat(InjectedTemplate.in("""
            Deployment\tshop\tweb\t\tAvailable Progressing\tbodyguard-init bodyguard-proxy app
            Deployment\tshop\toperated\tShop\t\t bodyguard-proxy app
            ReplicaSet\tshop\talone\t\t\tbodyguard-proxy app
            Job\tshop\timport\t\tSuspended\tbodyguard-proxy app
            CronJob\tshop\tnightly\t\t\tbodyguard-proxy app
            """))
                .containsExactly(
                        new InjectedTemplate("Deployment", "shop", "web"),
                        new InjectedTemplate("Deployment", "shop", "operated"),
                        new InjectedTemplate("ReplicaSet", "shop", "alone"),
                        new InjectedTemplate("Job", "shop", "import"),
                        new InjectedTemplate("CronJob", "shop", "nightly"));
    }

    @Test
    void isNoneThatSomebodyElsesTemplateMadeThatHasEndedOrThatLostTheSidecar() {
        assertThat(InjectedTemplate.in("""
            ReplicaSet\tshop\tweb-5d8f\tDeployment\t\tbodyguard-proxy app
            ReplicationController\tshop\tweb-2\tDeploymentConfig\t\tbodyguard-proxy app
            Job\tshop\tnightly-1\tCronJob\t\tbodyguard-proxy app
            Job\tshop\timported\t\tSuccessCriteriaMet Complete\tbodyguard-proxy app
            Job\tshop\tbroken\t\tFailureTarget Failed\tbodyguard-proxy app
            Deployment\tshop\tby-hand\t\t\t app

            """)).isEmpty();
        assertThat(InjectedTemplate.in("")).isEmpty();
    }

    @Test
    void refusalTellsForEachWhatIsTyped() {
        var refusal = InjectedTemplate.refusal(List.of(
                new InjectedTemplate("StatefulSet", "shop", "db"), new InjectedTemplate("Job", "bank", "import")));

        assertThat(refusal.lines())
                .satisfiesExactly(
                        first -> assertThat(first).startsWith("nothing was removed: these templates hold a sidecar"),
                        second -> assertThat(second)
                                .isEqualTo("  kubectl -n shop get statefulset db -o yaml"
                                        + " | bodyguard uninject - | kubectl replace -f -"),
                        third -> assertThat(third)
                                .isEqualTo("  kubectl -n bank delete job import  # or wait until it has ended"));
    }
}
