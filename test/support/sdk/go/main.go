// Command sdk-client is an application with the OpenTelemetry SDK for Go:
//
//	sdk-client grpc|http COUNT
//
// It exports COUNT spans as the variables OTEL_EXPORTER_OTLP_* say, and exits with 1 if an export
// fails.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(protocol, count string) error {
	ctx := context.Background()
	spans, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	exporter, err := open(ctx, protocol)
	if err != nil {
		return err
	}
	var failed error
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { failed = err }))
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
	for range spans {
		_, span := provider.Tracer("sdk-client").Start(ctx, "GET /orders")
		span.End()
	}
	if err := provider.Shutdown(ctx); err != nil {
		return err
	}
	return failed
}

func open(ctx context.Context, protocol string) (*otlptrace.Exporter, error) {
	if protocol == "grpc" {
		return otlptracegrpc.New(ctx)
	}
	return otlptracehttp.New(ctx)
}
