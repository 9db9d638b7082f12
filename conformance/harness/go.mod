module dev.bodyguard/conformance/harness

go 1.22
