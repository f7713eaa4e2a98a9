# Stdio servers from npm, bridged to streamable HTTP. The variable STDIO names the command that is bridged.
FROM node:24-bookworm-slim
WORKDIR /app
RUN npm install --no-audit --no-fund supergateway@4.0.0 \
      @modelcontextprotocol/server-filesystem@2026.8.31 \
      @modelcontextprotocol/server-sequential-thinking@2026.8.31 \
    && install --directory --owner=1000 --group=1000 /data
USER 1000:1000
ENV PATH=/app/node_modules/.bin:$PATH
EXPOSE 3002
CMD ["sh", "-c", "exec supergateway --stdio \"$STDIO\" --outputTransport streamableHttp --stateful --port 3002"]
