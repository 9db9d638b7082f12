package dev.bodyguard.injector.decision;

/// How it is said that an annotation or label has no effect, and the reasons that pods and Services share.
final class WhyIgnored {
    static final String LOCALITY = "which endpoints are nearest is asked for by a DestinationRule's localityLbSetting";
    static final String ONE_CLUSTER = "there is one cluster";
    static final String AMBIENT = "every pod of the mesh has a sidecar of its own";
    static final String ANALYSIS = "it silences istioctl, and no warning of this mesh";

    private WhyIgnored() {}

    static String sentence(String name, String why) {
        return OptIn.shownName(name) + " is ignored: " + why;
    }
}
