const feed = new EventSource('http://127.0.0.1:8000/sse/?kind=merge_request,push')
feed.onmessage = ({ data }) => {
  const { meta } = JSON.parse(data)
  console.log(meta.dt, meta.kind, meta.uri)
}
feed.addEventListener('gap', ({ data }) => console.log('something is gone:', data))
