//! The Rust SDK of MCP, used as its hosts use it.
//!
//! Arguments: the URL of the server, and a redirect URI. It prints the authorization URL on a line, reads the callback's
//! URL from the next line of standard input, calls the tool `echo`, refreshes, calls it again, and prints what it got.

use std::{
    env,
    error::Error,
    io::stdin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use rmcp::{
    ClientLifecycleMode, ClientServiceExt, RoleClient,
    model::{
        CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation, ProtocolVersion,
    },
    service::RunningService,
    transport::{
        StreamableHttpClientTransport,
        auth::{
            AuthClient, AuthError, AuthorizationManager, AuthorizationRequest, CredentialStore,
            InMemoryCredentialStore, OAuthState, StoredCredentials,
        },
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::json;

type Failure = Box<dyn Error + Send + Sync>;
type Session = RunningService<RoleClient, ClientConfig>;

/// Keeps tokens in memory, and counts how often the server sent some.
#[derive(Clone, Default)]
struct Counting {
    memory: InMemoryCredentialStore,
    received: Arc<AtomicU32>,
}

#[async_trait]
impl CredentialStore for Counting {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        self.memory.load().await
    }

    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        if credentials.token_response.is_some() {
            self.received.fetch_add(1, Ordering::Relaxed);
        }
        self.memory.save(credentials).await
    }

    async fn clear(&self) -> Result<(), AuthError> {
        self.memory.clear().await
    }
}

/// Takes a person through the sign-in.
async fn sign_in(
    server: &str,
    redirect_uri: &str,
    store: Counting,
) -> Result<AuthClient<reqwest::Client>, Failure> {
    let mut manager = AuthorizationManager::new(server).await?;
    manager.set_credential_store(store);
    let mut state = OAuthState::Unauthorized(manager);
    let request = AuthorizationRequest::new(redirect_uri)
        .with_initial_scope_selection()
        .with_client_name("Rust SDK");
    state.start_authorization(request).await?;
    println!("{}", json!({ "authorize": state.get_authorization_url().await? }));
    let mut callback = String::new();
    stdin().read_line(&mut callback)?;
    state.handle_callback_url(callback.trim()).await?;
    let manager = state.into_authorization_manager().ok_or("not authorized")?;
    Ok(AuthClient::new(reqwest::Client::new(), manager))
}

/// Asks for the newest revision first, as hosts do that know both protocols.
async fn connect(server: &str, client: &AuthClient<reqwest::Client>) -> Result<Session, Failure> {
    let config = StreamableHttpClientTransportConfig::with_uri(server);
    let transport = StreamableHttpClientTransport::with_client(client.clone(), config);
    let identity = Implementation::new("end-to-end", "1.0.0");
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::LATEST],
        legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
    };
    let host = ClientConfig::new(ClientCapabilities::default(), identity);
    Ok(host.serve_with_lifecycle(transport, lifecycle).await?)
}

async fn echo(session: &Session, message: &str) -> Result<String, Failure> {
    let arguments = rmcp::model::object(json!({ "message": message }));
    let call = CallToolRequestParams::new("echo").with_arguments(arguments);
    let result = session.call_tool(call).await?;
    let text = result.content.first().and_then(|part| part.as_text());
    Ok(text.ok_or("the tool answered without text")?.text.clone())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [server, redirect_uri] = arguments.as_slice() else {
        return Err("usage: client URL REDIRECT_URI".into());
    };
    let store = Counting::default();
    let client = sign_in(server, redirect_uri, store.clone()).await?;
    let session = connect(server, &client).await?;
    let mut echoed = vec![echo(&session, "hello").await?];
    // Instead of waiting for an hour.
    client.auth_manager.lock().await.refresh_token().await?;
    echoed.push(echo(&session, "again").await?);
    let tokens = store.received.load(Ordering::Relaxed);
    println!("{}", json!({ "echoed": echoed, "tokens": tokens }));
    session.cancel().await?;
    Ok(())
}
