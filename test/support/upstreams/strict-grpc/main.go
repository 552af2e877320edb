// A receiver of OTLP/gRPC made of grpc-go and protobuf-go, which refuse text that is not UTF-8.
//
//	strict-grpc PORT [gzip]
//
// It listens on 127.0.0.1, and without "gzip" it has no decompressor for it. Each line of standard
// input is an order in JSON; the answer, and the first line, is a report. It ends with its input.
package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// What is left out stays as it is.
type order struct {
	// 0 takes all spans.
	Code *uint32 `json:"code"`
	// What `authorization` must be; empty for anything.
	Token *string `json:"token"`
}

type report struct {
	Port int `json:"port"`
	// Requests that could be read, by whether they held spans.
	WithSpans int `json:"withSpans"`
	Empty     int `json:"empty"`
	// Spans that were kept, and different ones among them.
	Spans  int `json:"spans"`
	Unique int `json:"unique"`
}

type receiver struct {
	collector.UnimplementedTraceServiceServer
	mutex  sync.Mutex
	code   codes.Code
	token  string
	report report
	kept   map[string]bool
}

func (r *receiver) Export(
	ctx context.Context,
	request *collector.ExportTraceServiceRequest,
) (*collector.ExportTraceServiceResponse, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	ids := spanIDs(request)
	if len(ids) == 0 {
		r.report.Empty++
	} else {
		r.report.WithSpans++
	}
	if r.code != codes.OK {
		return nil, status.Error(r.code, "as ordered")
	}
	given, _ := metadata.FromIncomingContext(ctx)
	if r.token != "" && (len(given["authorization"]) == 0 || given["authorization"][0] != r.token) {
		return nil, status.Error(codes.Unauthenticated, "the token is not known")
	}
	for _, id := range ids {
		r.kept[id] = true
	}
	r.report.Spans += len(ids)
	r.report.Unique = len(r.kept)
	return &collector.ExportTraceServiceResponse{}, nil
}

func spanIDs(request *collector.ExportTraceServiceRequest) []string {
	var ids []string
	for _, resource := range request.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				ids = append(ids, string(span.SpanId))
			}
		}
	}
	return ids
}

func (r *receiver) obey(given order) report {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if given.Code != nil {
		r.code = codes.Code(*given.Code)
	}
	if given.Token != nil {
		r.token = *given.Token
	}
	return r.report
}

type gzipCompressor struct{}

func (gzipCompressor) Name() string { return "gzip" }
func (gzipCompressor) Compress(to io.Writer) (io.WriteCloser, error) {
	return gzip.NewWriter(to), nil
}
func (gzipCompressor) Decompress(from io.Reader) (io.Reader, error) { return gzip.NewReader(from) }

func main() {
	if len(os.Args) > 2 && os.Args[2] == "gzip" {
		encoding.RegisterCompressor(gzipCompressor{})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	receiver := &receiver{kept: map[string]bool{}}
	receiver.report.Port = listener.Addr().(*net.TCPAddr).Port
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, receiver)
	go func() { _ = server.Serve(listener) }()
	answers := json.NewEncoder(os.Stdout)
	_ = answers.Encode(receiver.obey(order{}))
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var given order
		if json.Unmarshal(lines.Bytes(), &given) == nil {
			_ = answers.Encode(receiver.obey(given))
		}
	}
}
