FROM node:24-slim AS build
WORKDIR /sluice
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /sluice
COPY --from=build /sluice/package.json ./
COPY --from=build /sluice/node_modules node_modules
COPY --from=build /sluice/dist dist
# The store and the journal: of the user below, and kept when the container is not.
RUN mkdir --mode=0700 /data && chown node:node /data
USER node
VOLUME /data
# Others can reach a container, so somebody has to say who they are.
ENV SLUICE_HOST=0.0.0.0 \
    SLUICE_PORT=4141 \
    SLUICE_AUTH=tokens \
    SLUICE_STORE=sqlite:/data/sluice.db \
    SLUICE_JOURNAL=/data/journal
EXPOSE 4141
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.SLUICE_PORT + '/readyz').then((reply) => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]
# No shell in between: SIGTERM has to arrive.
ENTRYPOINT ["node", "--max-semi-space-size=16", "dist/cli/main.js"]
CMD ["serve"]
