# lander in a container. Give it a database by LANDER_DATABASE_URL: the image holds no PostgreSQL. (To let lander run one of its
# own all the same, install postgresql in an image FROM this one; its data are in the volume.)
#
#   docker build --build-arg VERSION=$(git describe --tags --always) -t lander .

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /lander ./cmd/lander

FROM debian:bookworm-slim
RUN apt-get update \
	&& apt-get install -y --no-install-recommends git ca-certificates bubblewrap \
	&& rm -rf /var/lib/apt/lists/* \
	&& useradd --system --uid 10001 --create-home --home-dir /var/lib/lander --shell /usr/sbin/nologin lander
COPY --from=build /lander /usr/local/bin/lander
USER lander
WORKDIR /var/lib/lander
ENV LANDER_DATA_DIR=/var/lib/lander LANDER_LISTEN=:8080
VOLUME /var/lib/lander
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["lander", "health"]
ENTRYPOINT ["lander"]
CMD ["serve"]
