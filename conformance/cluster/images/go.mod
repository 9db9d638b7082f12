module dev.bodyguard/conformance/cluster/images

go 1.22
