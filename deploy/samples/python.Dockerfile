# Stdio servers from PyPI, bridged to streamable HTTP. The variable STDIO names the command that is bridged.
FROM node:24-bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
RUN npm install --no-audit --no-fund supergateway@4.0.0 \
    && python3 -m venv python \
    && python/bin/pip install --no-cache-dir \
      mcp-server-fetch==2026.10.24 mcp-server-git==2026.10.19 mcp-server-time==2026.10.19 \
    && install --directory --owner=1000 --group=1000 /data
USER 1000:1000
ENV PATH=/app/python/bin:/app/node_modules/.bin:$PATH
EXPOSE 3002
CMD ["sh", "-c", "exec supergateway --stdio \"$STDIO\" --outputTransport streamableHttp --stateful --port 3002"]
