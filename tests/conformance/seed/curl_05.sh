curl -X POST https://cn-shanghai-alicloud-aimesh.api.clickzetta.com/gateway/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding \
  -H "Authorization: Bearer $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{ "model": "qwen3-vl-embedding", "input": [ { "type": "image_url", "image_url": {"url": "https://example.com/product.png"} }, { "type": "text", "text": "商品主图" } ] }'
