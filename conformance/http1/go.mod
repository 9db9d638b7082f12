module dev.bodyguard/conformance/http1

go 1.22

require dev.bodyguard/conformance/harness v0.0.0

replace dev.bodyguard/conformance/harness => ../harness
