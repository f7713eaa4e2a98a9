# A Python server that shows the headers that reach it.
FROM python:3.13-slim-bookworm
WORKDIR /app
RUN pip install --no-cache-dir mcp==2.3.0
COPY headers.py ./
USER 1000:1000
ENV HOST=0.0.0.0 PORT=3002 PYTHONDONTWRITEBYTECODE=1
EXPOSE 3002
CMD ["python", "headers.py"]
