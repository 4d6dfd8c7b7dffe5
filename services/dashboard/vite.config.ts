import { defineConfig } from "vitest/config";

const gateway = process.env["MIEN_DASHBOARD_GATEWAY"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  build: {
    target: "es2022",
    rolldownOptions: {
      // react-router's "use client" means nothing where there is no server.
      onLog(level, log, handle) {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log);
      },
    },
  },
  server: {
    // The origin that the browser shows must be the one that the gateway sees, or it refuses changes.
    proxy: { "/api": { target: gateway, ws: true, changeOrigin: false } },
  },
  test: { include: ["tests/**/*.test.{ts,tsx}"], environment: "node" },
});
