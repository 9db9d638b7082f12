// A proxyless gRPC client, in state of the world: it prints one line for each kind of call that succeeded, and makes one
// more call for each line that it reads.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	xdscreds "google.golang.org/grpc/credentials/xds"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	_ "google.golang.org/grpc/xds"
)

func main() {
	target := flag.String("target", "xds:///grpc-backend:50051", "what to call")
	flag.Parse()
	// Without TLS only where the mesh says that the other side has none.
	credentials, err := xdscreds.NewClientCredentials(xdscreds.ClientOptions{FallbackCreds: insecure.NewCredentials()})
	if err != nil {
		log.Fatal(err)
	}
	connection, err := grpc.NewClient(*target, grpc.WithTransportCredentials(credentials))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	service := testgrpc.NewTestServiceClient(connection)
	call(service)
	interop.DoLargeUnaryCall(ctx, service)
	fmt.Println("unary")
	interop.DoServerStreaming(ctx, service)
	interop.DoPingPong(ctx, service)
	fmt.Println("streaming")
	interop.DoTimeoutOnSleepingServer(ctx, service)
	interop.DoStatusCodeAndMessage(ctx, service)
	fmt.Println("deadline and status")
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); fmt.Println("again") {
		call(service)
	}
}

func call(service testgrpc.TestServiceClient) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := service.EmptyCall(ctx, &testgrpc.Empty{}, grpc.WaitForReady(true)); err != nil {
		log.Fatal(err)
	}
}
