package orders

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain starts spanring for all tests of the package, and sets the variables of an SDK.
func TestMain(m *testing.M) {
	stop, err := startSpanring()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

func startSpanring() (stop func(), err error) {
	folder, err := os.MkdirTemp("", "ready")
	if err != nil {
		return nil, err
	}
	readyFile := filepath.Join(folder, "ready.json")
	command := exec.Command(spanring(), "--ready-file", readyFile)
	command.Env = os.Environ()
	for _, listener := range []string{"OTLP_GRPC", "OTLP_HTTP", "API"} {
		command.Env = append(command.Env, listener+"_HOST=127.0.0.1", listener+"_PORT=0")
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	stop = func() {
		command.Process.Signal(os.Interrupt)
		<-ended
		os.RemoveAll(folder)
	}
	for {
		text, err := os.ReadFile(readyFile)
		if err == nil {
			return stop, setVariables(text)
		}
		select {
		case err := <-ended:
			return nil, fmt.Errorf("spanring has not started: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func setVariables(readyFile []byte) error {
	var ready struct{ Env map[string]string }
	if err := json.Unmarshal(readyFile, &ready); err != nil {
		return err
	}
	for name, value := range ready.Env {
		os.Setenv(name, value)
	}
	return nil
}

func spanring() string {
	if path := os.Getenv("SPANRING_BINARY"); path != "" {
		return path
	}
	return "spanring"
}

// waitFor fails, with near misses, unless a span matches.
func waitFor(t *testing.T, conditions ...string) {
	t.Helper()
	command := exec.Command(spanring(), append([]string{"wait", "--timeout", "5s"}, conditions...)...)
	command.Stdout = nil
	var messages strings.Builder
	command.Stderr = &messages
	if err := command.Run(); err != nil {
		t.Fatalf("%v\n%s", err, messages.String())
	}
}

const request = `{"resourceSpans":[{"scopeSpans":[{"spans":[{
  "traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"GET /orders"
}]}]}]}`

// emitSpan stands for an application with an OpenTelemetry SDK.
func emitSpan(t *testing.T) {
	url := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") + "/v1/traces"
	response, err := http.Post(url, "application/json", strings.NewReader(request))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

func TestAnOrderIsTraced(t *testing.T) {
	emitSpan(t)
	waitFor(t, "--name", "GET /orders")
}
