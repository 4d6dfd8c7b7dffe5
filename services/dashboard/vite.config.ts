import { defineConfig } from "vitest/config";

const gateway = process.env["MIEN_DASHBOARD_GATEWAY"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  build: { target: "es2022", sourcemap: false, assetsInlineLimit: 2048 },
  server: {
    // The origin that the browser shows must be the one that the gateway sees, or it refuses changes.
    proxy: { "/api": { target: gateway, ws: true, changeOrigin: false } },
  },
  test: { include: ["tests/**/*.test.{ts,tsx}"], environment: "node" },
});
