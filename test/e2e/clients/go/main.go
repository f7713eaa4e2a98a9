// The Go SDK of MCP, used as its hosts use it.
//
// Arguments: the URL of the server, and a redirect URI. It prints the authorization URL on a line, reads the callback's
// URL from the next line of standard input, lets the access token expire, calls the tool `echo` twice, and prints what it
// got.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"
)

// counting counts the answers of the token endpoint.
type counting struct{ tokens atomic.Int32 }

func (c *counting) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err == nil && request.URL.Path == "/token" && response.StatusCode == http.StatusOK {
		c.tokens.Add(1)
	}
	return response, err
}

func say(message any) {
	line, err := json.Marshal(message)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

func openBrowser(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
	say(map[string]string{"authorize": args.URL})
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return nil, err
	}
	callback, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		return nil, err
	}
	query := callback.Query()
	if query.Get("code") == "" {
		return nil, fmt.Errorf("no code: %s %s", query.Get("error"), query.Get("error_description"))
	}
	return &auth.AuthorizationResult{
		Code: query.Get("code"), State: query.Get("state"), Iss: query.Get("iss"),
	}, nil
}

func main() {
	ctx := context.Background()
	server, redirect := os.Args[1], os.Args[2]
	count := &counting{}
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{
			Metadata: &oauthex.ClientRegistrationMetadata{
				ClientName:   "Go SDK",
				RedirectURIs: []string{redirect},
				GrantTypes:   []string{"authorization_code", "refresh_token"},
			},
		},
		RedirectURL:              redirect,
		AuthorizationCodeFetcher: openBrowser,
		RequestRefreshToken:      true,
		Client:                   &http.Client{Transport: count},
		NewTokenSource: func(ctx context.Context, config *oauth2.Config, token *oauth2.Token) (oauth2.TokenSource, error) {
			// Instead of waiting for an hour.
			token.Expiry = time.Now().Add(-time.Minute)
			return config.TokenSource(ctx, token), nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "end-to-end", Version: "1.0.0"}, nil)
	transport := &mcp.StreamableClientTransport{Endpoint: server, OAuthHandler: handler}
	session, err := client.Connect(ctx, transport, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	echoed := []string{}
	for _, message := range []string{"hello", "again"} {
		result, err := session.CallTool(ctx, &mcp.CallToolParams{
			Name: "echo", Arguments: map[string]any{"message": message},
		})
		if err != nil {
			log.Fatal(err)
		}
		if text, ok := result.Content[0].(*mcp.TextContent); ok {
			echoed = append(echoed, text.Text)
		}
	}
	say(map[string]any{"echoed": echoed, "tokens": count.tokens.Load()})
}
