module dev.bodyguard/conformance/http1

go 1.24.0

require (
	dev.bodyguard/conformance/harness v0.0.0
	golang.org/x/net v0.42.0
)

replace dev.bodyguard/conformance/harness => ../harness
